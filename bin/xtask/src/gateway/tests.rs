use super::Ready;

#[test]
fn a_ready_file_is_read_once_it_is_whole() {
    let file =
        r#"{"url":"http://127.0.0.1:4000/","key":"k","pid":7,"sandbox":{"openai":"http://127.0.0.1:1/v1"}}"#;
    let ready = Ready::read(file).unwrap();
    assert_eq!((ready.url.as_str(), ready.key.as_str(), ready.pid), ("http://127.0.0.1:4000", "k", 7));
    assert_eq!(ready.sandbox["openai"], "http://127.0.0.1:1/v1");

    for end in 0..file.len() {
        assert_eq!(Ready::read(&file[..end]), None, "after {end} bytes");
    }
}

#[test]
fn without_a_sandbox_there_are_no_vendors() {
    assert!(Ready::read(r#"{"url":"u","key":"k","pid":7}"#).unwrap().sandbox.is_empty());
}
