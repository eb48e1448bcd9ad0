use super::embeddings::vector;
use super::multipart::Form;

#[test]
fn vectors_are_of_unit_length_and_follow_from_the_text() {
    let one = vector("rain", 256);
    assert!((one.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-4);
    assert_eq!(one, vector("rain", 256));
    assert_ne!(one, vector("snow", 256));
}

#[test]
fn forms_are_read_and_broken_ones_refused() {
    let body = b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n\x00\r\n\xff\r\n--b--\r\n";
    let form = Form::read("multipart/form-data; boundary=b", body).unwrap();
    assert_eq!(form.text("model"), "whisper-1");
    let file = form.files("file").next().unwrap();
    assert_eq!((file.file_name, file.data), (Some("a.wav"), &b"\x00\r\n\xff"[..]));
    for end in 0..body.len() - 4 {
        assert!(Form::read("multipart/form-data; boundary=b", &body[..end]).is_err(), "{end}");
    }
    assert!(Form::read("application/json", body).is_err());
}
