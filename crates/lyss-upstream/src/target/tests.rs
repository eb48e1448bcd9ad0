use http::Uri;

use super::Target;

#[test]
fn targets_are_read() {
    for (text, tls, host, port) in [
        ("https://api.vendor.test/v1?x=1", true, "api.vendor.test", 443),
        ("http://api.vendor.test", false, "api.vendor.test", 80),
        ("HTTPS://API.vendor.test:8443/", true, "API.vendor.test", 8443),
        ("http://[::1]:8080/", false, "::1", 8080),
        ("https://[2001:db8::1]/", true, "2001:db8::1", 443),
    ] {
        let uri: Uri = text.parse().unwrap();
        let target = Target::of(&uri).unwrap();
        assert_eq!((target.tls, target.host, target.port), (tls, host, port), "{text}");
    }
}

#[test]
fn what_could_mean_two_things_is_refused() {
    for text in [
        "ftp://host/",
        "ws://host/",
        "/path",
        "host:80",
        "*",
        "http://user@host/",
        "http://user:password@host/",
        "http://host:80@other/",
        "http://@host/",
        "http://host:/",
        "http://host:99999/",
        "http://host:-1/",
        "http://host:+80/",
        "http://:80/",
    ] {
        // What is no URI at all is refused as well.
        let Ok(uri) = text.parse::<Uri>() else { continue };
        assert!(Target::of(&uri).is_err(), "{text}");
    }
}

#[test]
fn an_address_in_an_odd_spelling_is_no_server_name() {
    for text in ["https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/"] {
        let uri: Uri = text.parse().unwrap();
        assert!(Target::of(&uri).unwrap().server_name().is_err(), "{text}");
    }
}
