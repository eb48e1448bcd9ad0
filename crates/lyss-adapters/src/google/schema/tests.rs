use super::*;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

#[test]
fn googles_own_schema_becomes_json_schema() {
    let table = [
        (r#"{"type":"STRING"}"#, r#"{"type":"string"}"#),
        (r#"{"type":"INTEGER","nullable":true}"#, r#"{"type":["integer","null"]}"#),
        (
            r#"{"any_of":[{"type":"STRING"}],"nullable":true}"#,
            r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
        ),
        (r#"{"type":"STRING","format":"enum","enum":["a"]}"#, r#"{"type":"string","enum":["a"]}"#),
        (
            r#"{"type":"ARRAY","min_items":"2","items":{"type":"NUMBER"}}"#,
            r#"{"type":"array","minItems":2,"items":{"type":"number"}}"#,
        ),
        (
            r#"{"type":"OBJECT","properties":{"b_c":{"type":"STRING"},"a":{}},"propertyOrdering":["a","b_c"]}"#,
            r#"{"type":"object","properties":{"a":{},"b_c":{"type":"string"}}}"#,
        ),
        (
            r#"{"type":"object","additionalProperties":false,"x":1}"#,
            r#"{"type":"object","additionalProperties":false,"x":1}"#,
        ),
        (r#"{"type":["string","null"],"example":"e"}"#, r#"{"type":["string","null"],"examples":["e"]}"#),
        (r#"{"enum":[],"nullable":true}"#, r#"{"enum":[null]}"#),
    ];
    for (from, to) in table {
        assert_eq!(to_json_schema(&raw(from)).get(), to, "{from}");
    }
}

#[test]
fn json_schema_becomes_googles_own_and_tells_what_it_lost() {
    let table = [
        (r#"{"type":["string","null"]}"#, r#"{"type":"STRING","nullable":true}"#, true),
        (r#"{"const":"a"}"#, r#"{"enum":["a"]}"#, true),
        (r#"{"oneOf":[{"type":"string"}]}"#, r#"{"anyOf":[{"type":"STRING"}]}"#, false),
        (r#"{"type":"object","patternProperties":{}}"#, r#"{"type":"OBJECT"}"#, false),
        (r#"{"type":["string","number"]}"#, r#"{"type":"STRING"}"#, false),
        (r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}"##, r#"{"type":"STRING"}"#, true),
    ];
    for (from, to, is_whole) in table {
        let (written, whole) = to_subset(&raw(from));
        assert_eq!((written.get(), whole), (to, is_whole), "{from}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let (written, is_whole) = to_subset(&raw(
        r##"{"$defs":{"n":{"type":"object","properties":{"l":{"$ref":"#/$defs/n"},"r":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"}"##,
    ));
    assert!(!is_whole && written.get().len() < 16 << 20);
}
