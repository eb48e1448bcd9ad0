use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its form is looked at")]
struct Outer {
    name: String,
    #[serde(default)]
    inner: Inner,
    #[serde(default)]
    list: Vec<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Inner {
    rpm: Option<u32>,
    map: BTreeMap<String, String>,
}

fn refused(body: &str) -> (Code, Option<(String, String)>) {
    let failure = parse::<Outer>(body.as_bytes()).unwrap_err();
    (failure.code, failure.fields.into_iter().next())
}

#[test]
fn every_fault_is_told_by_the_path_of_its_field() {
    let cases = [
        (r#"{}"#, "name", "is required"),
        (r#"{"name":7}"#, "name", "must be a string"),
        (r#"{"name":"a","colour":"red"}"#, "colour", "is not a known field"),
        (r#"{"name":"a","name":"b"}"#, "name", "is given twice"),
        (r#"{"name":"a","inner":{"rpm":-1}}"#, "inner.rpm", "must be a whole number, 0 or more"),
        (r#"{"name":"a","inner":{"rmp":1}}"#, "inner.rmp", "is not a known field"),
        (r#"{"name":"a","inner":{"map":{"x":1}}}"#, "inner.map.x", "must be a string"),
        (r#"{"name":"a","list":[1,"two"]}"#, "list[1]", "must be a whole number, 0 or more"),
        (r#"[]"#, "body", "must be an object"),
    ];
    for (body, field, reason) in cases {
        let (code, told) = refused(body);
        assert_eq!(code, Code::ValidationFailed, "{body}");
        assert_eq!(told, Some((field.to_owned(), reason.to_owned())), "{body}");
    }
}

#[test]
fn what_is_no_json_is_another_failure_even_behind_a_wrong_field() {
    for body in ["", "{", r#"{"name":7,]"#, "nonsense", "{\"name\":\"\u{1}\"}", r#"{"name":"a"} x"#] {
        assert_eq!(refused(body), (Code::MalformedJson, None), "{body}");
    }
}

#[test]
fn a_value_is_never_quoted() {
    let secret = "sk-live-1234567890";
    for body in [
        format!(r#"{{"name":"a","inner":"{secret}"}}"#),
        format!(r#"{{"name":["{secret}"]}}"#),
        format!(r#"{{"name":"a","list":["{secret}"]}}"#),
        format!(r#""{secret}""#),
    ] {
        let failure = parse::<Outer>(body.as_bytes()).unwrap_err();
        assert!(!format!("{failure:?}").contains(secret), "{failure:?}");
    }
}
