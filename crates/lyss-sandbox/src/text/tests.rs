use super::*;

#[test]
fn the_same_question_gets_the_same_answer() {
    let ask = |model: &str, text: &str| words(seed(model, text), "", None).as_str().to_owned();
    assert_eq!(ask("m", "hello"), ask("m", "hello"));
    let different: std::collections::BTreeSet<_> = (0..32).map(|i| ask("m", &format!("hello {i}"))).collect();
    assert!(different.len() > 8, "{}", different.len());
}

#[test]
fn answers_are_of_a_plausible_length_and_pieces_make_up_the_text() {
    for start in 0..SENTENCES.len() as u64 {
        let pieces = words(start, "", None);
        assert!((20..=40).contains(&pieces.len()), "{}", pieces.len());
        assert_eq!(pieces.iter().collect::<String>(), pieces.as_str());
        assert_eq!(pieces.iter().count(), pieces.len());
    }
}

#[test]
fn the_length_can_be_set() {
    for count in [0, 1, 7, 500] {
        assert_eq!(words(3, "", Some(count)).len(), count);
    }
    assert!(words(3, "Well then,", Some(3)).as_str().starts_with("Well then, "));
}

#[test]
fn fragments_are_several_and_never_split_a_letter() {
    for text in ["", "{}", "{\"city\":\"sample\"}", "ééééééééé☕☕☕"] {
        let pieces = Pieces::fragments(text);
        assert_eq!(pieces.iter().collect::<String>(), text);
    }
    assert!(Pieces::fragments("{\"a\":42}").len() >= 3);
}

#[test]
fn truncation_keeps_whole_pieces() {
    let mut pieces = words(0, "", None);
    pieces.truncate(2);
    assert_eq!(pieces.as_str(), "The harbour");
    pieces.truncate(0);
    assert!(pieces.is_empty() && pieces.as_str().is_empty());
}
