use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use serde_json::Value;

use super::*;
use crate::manage::tests::office::Office;

fn written() -> Value {
    serde_json::from_str(&WRITTEN).unwrap()
}

/// Method and path of every operation.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_ascii_uppercase(), path.clone(), operation));
        }
    }
    all
}

#[test]
fn the_document_names_every_route_and_no_other() {
    let document = written();
    let routes: BTreeSet<_> = table()
        .into_iter()
        .filter(|entry| !UNDOCUMENTED.contains(&entry.path))
        .map(|entry| (entry.method.to_string(), entry.path.to_owned()))
        .collect();
    let written: BTreeSet<_> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(written, routes);
    assert_eq!(table().len(), routes.len() + UNDOCUMENTED.len(), "no route stands twice");
}

#[test]
fn every_management_operation_tells_how_it_fails() {
    let document = written();
    let managed: Vec<_> =
        operations(&document).into_iter().filter(|(_, path, _)| is_management(path)).collect();
    assert!(managed.len() > 30, "{}", managed.len());
    for (method, path, operation) in managed {
        let responses = operation["responses"].as_object().unwrap();
        for status in ["401", "403", "500", "503"] {
            let response = &responses[status];
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Error", "{method} {path} {status}");
        }
        assert!(responses.contains_key("200") || responses.contains_key("201"), "{method} {path}");
        assert_eq!(operation["security"][0]["bearer"], serde_json::json!([]), "{method} {path}");
    }
}

fn is_management(path: &str) -> bool {
    path.starts_with("/api/v1/") && !path.starts_with("/api/v1/proxy/")
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_its_own_id() {
    let document = written();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let operations = operations(&document);
    let ids: BTreeSet<_> =
        operations.iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            references.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, references));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[actix_web::test]
async fn the_page_needs_no_other_server() {
    let office = Office::open().await;
    let answer = office.send(TestRequest::with_uri("/docs")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, Some("/docs/")));
    let page = office.send(TestRequest::with_uri("/docs/")).await;
    let page = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(!page.contains("://"), "{page}");
    let mut files = page.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".css"));
    assert!(files.clone().count() >= 3);
    assert!(files.all(|file| !file.starts_with('/')));
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let answer = office.send(TestRequest::with_uri(&format!("/docs/{file}"))).await;
        assert_eq!(answer.status, 200, "{file}");
    }
    let config = office.send(TestRequest::with_uri("/docs/swagger-initializer.js")).await;
    let config = String::from_utf8(config.bytes.to_vec()).unwrap();
    assert!(config.contains("/openapi.json") && config.contains(r#""validatorUrl": "none""#), "{config}");
    assert_eq!(office.send(TestRequest::with_uri("/docs/nothing.js")).await.status, 404);
    let document = office.send(TestRequest::with_uri("/openapi.json")).await;
    assert_eq!(document.json(), written());
    office.close().await;
}
