use super::*;

#[test]
fn slots_are_filled_once() {
    let slots = [("a", "$b"), ("b", "2"), ("long_name", "é")];
    assert_eq!(filled("$a,$b;$long_name", &slots), "$b,2;é");
    assert_eq!(filled("no slot", &slots), "no slot");
    assert_eq!(filled("x$missing]", &slots), "x]");
}

#[test]
fn quoting_is_json() {
    for text in ["", "plain", "café ☕", "a \"b\" \\ c", "line\nend\u{1}"] {
        assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
    }
    let mut out = String::from("old");
    assert_eq!(requote(&mut out, "new"), "\"new\"");
}
