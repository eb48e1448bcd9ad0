use super::*;

type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);

#[test]
fn the_key_is_found_where_each_sdk_puts_it() {
    let cases: [Case; 18] = [
        (&[], None),
        (&[("content-type", "application/json")], None),
        (&[("authorization", "Bearer KEY")], Some("KEY")),
        (&[("Authorization", "bearer KEY")], Some("KEY")),
        (&[("AUTHORIZATION", " BEARER   KEY ")], Some("KEY")),
        (&[("authorization", "Bearer ")], None),
        (&[("authorization", "Bearer")], None),
        (&[("authorization", "BearerKEY")], None),
        (&[("authorization", "Basic S0VZ")], None),
        (&[("authorization", "KEY")], None),
        (&[("x-api-key", "KEY")], Some("KEY")),
        (&[("Api-Key", " KEY ")], Some("KEY")),
        (&[("x-goog-api-key", "KEY")], Some("KEY")),
        (&[("x-api-key", "OTHER"), ("authorization", "Bearer KEY")], Some("KEY")),
        (&[("x-goog-api-key", "THIRD"), ("api-key", "SECOND"), ("x-api-key", "KEY")], Some("KEY")),
        (&[("authorization", "Basic S0VZ"), ("api-key", "KEY")], Some("KEY")),
        (&[("authorization", "Bearer "), ("x-api-key", ""), ("x-goog-api-key", "KEY")], Some("KEY")),
        (&[("x-api-key", "KEY"), ("x-api-key", "AGAIN")], Some("KEY")),
    ];
    for (headers, key) in cases {
        let found = extract(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        assert_eq!(found, key.map(str::as_bytes), "{headers:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_passed_on_as_they_are() {
    let value = [b"Bearer ".as_slice(), &[0xff, 0x00, 0xe2]].concat();
    assert_eq!(extract([("authorization", value.as_slice())]), Some([0xff, 0x00, 0xe2].as_slice()));
}
