use proptest::prelude::*;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a test looks at the key it minted")]
fn text(random: [u8; 32]) -> Vec<u8> {
    mint(random).expose().to_vec()
}

/// The check value every description of CRC-32 gives.
#[test]
fn crc32_gives_the_published_value() {
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
}

/// Written out by another implementation (Python's integers and `zlib.crc32`) from the description above.
#[test]
fn keys_are_written_as_described() {
    let counting: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let cases = [([0; 32], ZEROS), ([0xff; 32], ONES), (counting, COUNTING)];
    for (random, written) in cases {
        assert_eq!(String::from_utf8(text(random)).unwrap(), written);
        assert!(looks_valid(written.as_bytes()));
    }
}

#[test]
fn look_alikes_are_turned_away() {
    let good = text([7; 32]);
    let cases: [(&str, Vec<u8>); 8] = [
        ("nothing", vec![]),
        ("a vendor's key", b"sk-proj-0123456789012345678901234567890123456789012345678".to_vec()),
        ("the prefix alone", PREFIX.to_vec()),
        ("one short", good[..good.len() - 1].to_vec()),
        ("one long", [&good[..], b"0"].concat()),
        (
            "one long inside, checksum right",
            with_checksum([&good[..PREFIX.len() + RANDOM_LEN], b"0"].concat()),
        ),
        ("a foreign letter, checksum right", with_checksum([PREFIX, b"-", &[b'a'; RANDOM_LEN - 1]].concat())),
        ("in capitals", good.to_ascii_uppercase()),
    ];
    for (what, case) in cases {
        assert!(!looks_valid(&case), "{what}");
    }
}

#[test]
fn a_hint_shows_both_ends_and_nothing_of_what_is_no_key() {
    let hint = key_hint(&mint([7; 32]));
    let good = String::from_utf8(text([7; 32])).unwrap();
    assert_eq!(hint, format!("{}…{}", &good[..12], &good[53..]));
    assert_eq!(key_hint(&Secret::from("sk-somebody-elses-key-0123456789".to_owned())), "…");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_one_changed_character_is_noticed(random: [u8; 32], at in 0..KEY_LEN, other: u8) {
        let good = text(random);
        prop_assert_eq!(good.len(), 57);
        prop_assert!(looks_valid(&good));
        let mut changed = good.clone();
        changed[at] = other;
        prop_assert_eq!(looks_valid(&changed), changed == good);
    }

    #[test]
    fn two_neighbours_exchanged_are_noticed(random: [u8; 32], at in 0..KEY_LEN - 1) {
        let good = text(random);
        let mut changed = good.clone();
        changed.swap(at, at + 1);
        prop_assert_eq!(looks_valid(&changed), changed == good);
    }

    #[test]
    fn different_bits_give_different_keys(one: [u8; 32], byte in 0..32usize, bit in 0..8u32) {
        let mut two = one;
        two[byte] ^= 1 << bit;
        prop_assert_ne!(text(one), text(two));
    }
}

fn with_checksum(body: Vec<u8>) -> Vec<u8> {
    let end = checksum(&body);
    [body, end.to_vec()].concat()
}

const ZEROS: &str = "sk-lyss-00000000000000000000000000000000000000000002ODxKs";
const ONES: &str = "sk-lyss-1pX8wOr5j2ACunjH7GLL8mWZWHmY1LA1ZO6Adwksjhy1qZcry";
const COUNTING: &str = "sk-lyss-flDIBkGwcRKRL9GXCgaFM3UNu2jQTCljt7CJTlUa3002vcbEc";
