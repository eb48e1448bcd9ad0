use super::*;

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}

#[test]
fn content_is_a_string_or_parts() {
    let read = |json: &'static str| {
        let content: Content<'_> = serde_json::from_str(json).unwrap();
        (content.text_bytes, content.text.as_str().to_owned(), content.has_tool_result)
    };
    assert_eq!(read("null"), (0, String::new(), false));
    assert_eq!(read(r#""h\u00e9!""#), (4, "hé!".into(), false));
    assert_eq!(
        read(
            r#"[{"type":"text","text":"abc"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"de"}]"#
        ),
        (5, "de".into(), false)
    );
    assert_eq!(
        read(r#"[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"12 °C"}]}]"#),
        (6, "12 °C".into(), true)
    );
    assert!(serde_json::from_str::<Content<'_>>("7").is_err());
}

#[test]
fn arguments_follow_the_schema() {
    let schema = raw(
        r#"{"type":"object","properties":{"unit":{"type":"string","enum":["c","f"]},"city":{"type":"string"},
        "days":{"type":"integer"},"exact":{"type":"boolean"},"tags":{"type":"array"},"note":{"type":["string","null"]}}}"#,
    );
    assert_eq!(
        Parameters::Raw(schema).sample(),
        r#"{"city":"sample","days":42,"exact":true,"note":"sample","tags":[],"unit":"c"}"#
    );
    assert_eq!(Parameters::None.sample(), "{}");
    assert_eq!(Parameters::Raw(raw("[1]")).sample(), "{}");
}

#[test]
fn the_wish_chooses_the_tools() {
    let tools = ["a", "b", "c"].map(|name| Tool { name, parameters: Parameters::None });
    let names = |wish: ToolWish<'_>| {
        wanted_tools(&tools, &wish, None).map(|tools| tools.iter().map(|tool| tool.name).collect::<Vec<_>>())
    };
    assert_eq!(names(ToolWish::Any { parallel: true }), Ok(vec!["a", "b"]));
    assert_eq!(names(ToolWish::Any { parallel: false }), Ok(vec!["a"]));
    assert_eq!(names(ToolWish::Named("c".into())), Ok(vec!["c"]));
    assert_eq!(names(ToolWish::Nothing), Ok(vec![]));
    assert!(names(ToolWish::Named("d".into())).is_err());
}
