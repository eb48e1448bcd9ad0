use std::io::Read;

use super::*;

fn script() -> Script {
    let mut script = Script::default();
    for event in ["data: {\"a\":1}\n\n", "data: {\"é\":2}\n\n", "data: [DONE]\n\n"] {
        script.event(1, |out| out.extend_from_slice(event.as_bytes()));
    }
    script
}

fn text(script: &Script) -> String {
    assert_eq!(script.marks.last().unwrap().end, script.bytes.len());
    assert_eq!(script.marks.last().unwrap().tokens, 3);
    String::from_utf8(script.bytes.clone()).unwrap()
}

fn framed(framing: Framing) -> String {
    let mut script = script();
    script.reframe(framing);
    text(&script)
}

#[test]
fn framings_are_what_they_are_called() {
    assert_eq!(framed(Framing::CrLf), text(&script()).replace('\n', "\r\n"));
    assert_eq!(framed(Framing::Cr), text(&script()).replace('\n', "\r"));
    assert_eq!(framed(Framing::Bom), format!("\u{feff}{}", text(&script())));
    assert!(framed(Framing::NoFinal).ends_with("}\n\ndata: [DONE]\n"));
    assert!(framed(Framing::Multiline).starts_with("data: {\ndata: \"a\":1}\n\n"));
    assert_eq!(framed(Framing::Comments).matches(": sandbox\n").count(), 3);
}

#[test]
fn what_is_compressed_opens_again() {
    let plain = text(&script());
    let compressed = |encoding| {
        let mut script = script();
        script.compress(encoding);
        script.bytes
    };
    let mut read = String::new();
    flate2::read::GzDecoder::new(&*compressed(Encoding::Gzip)).read_to_string(&mut read).unwrap();
    assert_eq!(read, plain);
    read.clear();
    flate2::read::ZlibDecoder::new(&*compressed(Encoding::Deflate)).read_to_string(&mut read).unwrap();
    assert_eq!(read, plain);
    read.clear();
    brotli::Decompressor::new(&*compressed(Encoding::Brotli), 4096).read_to_string(&mut read).unwrap();
    assert_eq!(read, plain);
}

#[test]
fn pieces_and_comments_change_no_byte() {
    let mut pieces = script();
    pieces.split(4);
    assert_eq!(text(&pieces), text(&script()));
    let ends: Vec<_> = pieces.marks.iter().map(|mark| mark.end).collect();
    assert!(ends.windows(2).all(|pair| pair[1] > pair[0] && pair[1] - pair[0] <= 4), "{ends:?}");

    let mut waiting = script();
    waiting.keep_alive(30);
    assert_eq!(waiting.marks[0].wait_ms, Some(10));
    assert_eq!(text(&waiting), ": keep-alive\n\n".repeat(3) + &text(&script()));
}
