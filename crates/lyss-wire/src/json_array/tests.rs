use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn cut(pieces: &[&[u8]]) -> Vec<String> {
    let mut framer = JsonArrayFramer::new(1 << 16);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.feed(piece, &mut frames).unwrap();
    }
    framer.finish(&mut frames);
    frames.into_iter().map(|frame| String::from_utf8(frame.data).unwrap()).collect()
}

#[test]
fn elements_are_found_whatever_stands_between_them() {
    let table: [(&str, &[&str]); 8] = [
        ("[{\"a\": 1}\n,\r\n{\"b\": [2]}\n]", &["{\"a\": 1}", "{\"b\": [2]}"]),
        ("\u{feff} [\n{},,{} ,]", &["{}", "{}"]),
        ("[]", &[]),
        ("", &[]),
        ("[{\"a\":\"}]\\\"{\"}]", &["{\"a\":\"}]\\\"{\"}"]),
        ("[1, \"a,b\" ,[2,[3]],null]", &["1", "\"a,b\"", "[2,[3]]", "null"]),
        ("{\"error\":{}}", &["{\"error\":{}}"]),
        ("[{}] trailing {}", &["{}"]),
    ];
    for (text, expected) in table {
        assert_eq!(cut(&[text.as_bytes()]), expected, "{text}");
    }
}

#[test]
fn an_element_that_is_cut_is_not_delivered() {
    for text in ["[{\"a\":1},{\"b\":", "[{\"a\":1},\"b", "[{\"a\":1},[1"] {
        assert_eq!(cut(&[text.as_bytes()]), ["{\"a\":1}"], "{text}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut framer = JsonArrayFramer::new(8);
    let mut frames = Vec::new();
    framer.feed(b"[{\"a\":1},", &mut frames).unwrap();
    let overflow = framer.feed(b"{\"a\":\"123456", &mut frames).unwrap_err();
    assert_eq!((frames.len(), overflow.limit_bytes), (1, 8));
}

fn any_element() -> impl Strategy<Value = Value> {
    ("[a-z\"\\\\\\[\\]{},é ]{0,8}", any::<i32>(), any::<bool>()).prop_map(|(text, number, nested)| {
        if nested { json!({ text.as_str(): [number, {"x": text}] }) } else { json!([text, number]) }
    })
}

proptest! {
    #[test]
    fn any_split_yields_the_same_elements(
        elements in prop::collection::vec(any_element(), 0..6),
        blanks in prop::collection::vec("[ \n\r\t,]{0,3}", 7),
        by in 1..9_usize,
    ) {
        let mut text = String::from("[");
        for (element, blank) in elements.iter().zip(&blanks) {
            text.push_str(&format!("{blank}{element},{blank}"));
        }
        text.push(']');
        let pieces: Vec<_> = text.as_bytes().chunks(by).collect();
        let found: Vec<Value> = cut(&pieces).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!(found, elements);
    }

    #[test]
    fn any_bytes_are_survived_alike_however_they_are_split(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"[]{}\",\\ 1".to_vec())], 0..200),
        by in 1..9_usize,
    ) {
        let collect = |by: usize| {
            let mut framer = JsonArrayFramer::new(64);
            let mut frames = Vec::new();
            let result = bytes.chunks(by).try_for_each(|piece| framer.feed(piece, &mut frames));
            framer.finish(&mut frames);
            (frames, result.is_err())
        };
        let whole = collect(200);
        let split = collect(by);
        // A long element may overflow a little sooner or later, but never yields something else.
        if !whole.1 && !split.1 {
            prop_assert_eq!(whole.0, split.0);
        }
    }
}
