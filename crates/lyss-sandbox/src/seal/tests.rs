use super::*;

#[test]
fn a_seal_is_known_by_its_maker_alone() {
    let seal = Sealer::Anthropic.seal("thought");
    assert!(Sealer::Anthropic.made(&seal, "thought"));
    assert!(!Sealer::Anthropic.made(&seal, "Thought"));
    assert!(!Sealer::Google.made(&seal, "thought"));

    let locked = Sealer::OpenAi.lock("a/b");
    assert!(Sealer::OpenAi.locked(&locked));
    assert!(!Sealer::Google.locked(&locked));
    for other in ["", "x", "c2FuZGJveA==", &locked[4..], &Sealer::OpenAi.seal("a/b")] {
        assert!(!Sealer::OpenAi.locked(other), "{other}");
    }
}
