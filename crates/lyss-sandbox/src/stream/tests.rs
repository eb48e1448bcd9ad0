use super::*;

fn script() -> Script {
    let mut script = Script::with_capacity(16, 3);
    for (text, tokens) in [("head", 0), ("one", 1), ("two", 1)] {
        script.event(tokens, |out| out.extend_from_slice(text.as_bytes()));
    }
    script
}

fn ends(script: &Script) -> Vec<(usize, usize)> {
    script.marks.iter().map(|mark| (mark.end, mark.tokens)).collect()
}

#[test]
fn a_script_knows_what_was_said_where() {
    assert_eq!(ends(&script()), [(4, 0), (7, 1), (10, 2)]);
}

#[test]
fn keeping_less_keeps_marks_and_bytes_together() {
    let kept = |count: usize| {
        let mut script = script();
        script.keep_bytes(count);
        assert_eq!(script.len(), script.marks.last().map_or(0, |mark| mark.end));
        ends(&script)
    };
    assert_eq!(kept(0), []);
    assert_eq!(kept(2), [(2, 0)]);
    assert_eq!(kept(4), [(4, 0)]);
    assert_eq!(kept(5), [(4, 0), (5, 1)]);
    assert_eq!(kept(10), ends(&script()));

    let mut less = script();
    less.keep_events(1);
    assert_eq!((less.events(), less.len()), (1, 4));
}
