//! Waits in all their forms, rate windows, and connections that end badly.

use super::client::CEILING;
use super::*;

fn with(vendor: Vendor, knobs: &str) -> String {
    format!("{}+{knobs}", some_model(vendor))
}

#[tokio::test]
async fn a_wait_is_said_in_one_form_only() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let ask = async |knobs: &str| {
            chat(&sandbox, vendor, &with(vendor, &format!("status=429+{knobs}")), json!({})).await
        };
        let date = ask("retry_after=3725+wait=date").await;
        assert_eq!(date.header("date"), Some("Sun, 15 Jun 2025 00:00:00 GMT"), "{vendor:?}");
        assert_eq!(date.header("retry-after"), Some("Sun, 15 Jun 2025 01:02:05 GMT"));
        let millis = ask("retry_after=7+wait=ms").await;
        assert_eq!((millis.header("retry-after-ms"), millis.header("retry-after")), (Some("7000"), None));
        let reset = ask("retry_after=7+wait=reset").await;
        let (left, at, moment) = match vendor {
            Vendor::Anthropic => (
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
                "2025-06-15T00:00:07Z",
            ),
            _ => ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "7s"),
        };
        assert_eq!((reset.header(left), reset.header(at)), (Some("0"), Some(moment)), "{vendor:?}");
        let body = ask("retry_after=20+wait=body").await;
        let said = if vendor == Vendor::Google { r#""retryDelay":"20s""# } else { "try again in 20s" };
        assert!(body.body.contains(said), "{}", body.body);
        for answer in [&reset, &body] {
            assert_eq!(answer.header("retry-after"), None);
            assert_eq!(answer.header("retry-after-ms"), None);
        }
        let silent = ask("words=1").await;
        assert!(!silent.body.contains("again in") && !silent.body.contains("retryDelay"));
    }
}

#[tokio::test]
async fn a_window_lets_so_many_through_and_tells_where_it_is_told_to() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        for tell in ["header", "body", "none"] {
            let model = with(vendor, &format!("window_requests=2+window_ms=600000+tell={tell}"));
            let mut left = Vec::new();
            for expected in [200, 200, 429, 429] {
                let answer = chat(&sandbox, vendor, &model, json!({})).await;
                assert_eq!(answer.status, expected, "{vendor:?} {tell}");
                let header = ["x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining"]
                    .into_iter()
                    .find_map(|name| answer.header(name).map(str::to_owned));
                left.push(header);
                let said = (answer.header("retry-after").is_some(), answer.body.contains("try again in"));
                let has_header = tell == "header" && expected == 429 && vendor != Vendor::Google;
                assert_eq!(said, (has_header, tell == "body" && expected == 429), "{vendor:?} {tell}");
            }
            let tells = tell == "header" && !matches!(vendor, Vendor::Google | Vendor::DeepSeek);
            let told = ["1", "0", "0", "0"].map(|left| tells.then(|| left.to_owned()));
            assert_eq!(left, told, "{vendor:?} {tell}");
        }
    }
}

/// One window a key and model: with another knob it is another model's, and time empties it.
#[tokio::test]
async fn windows_are_apart_and_pass() {
    let sandbox = sandbox().await;
    let ask = async |knobs: &str| {
        chat(&sandbox, Vendor::OpenAi, &with(Vendor::OpenAi, knobs), json!({})).await.status
    };
    let (one, other) = ("window_requests=1+window_ms=600000", "window_requests=1+window_ms=600001");
    assert_eq!((ask(one).await, ask(one).await, ask(other).await), (200, 429, 200));
    let quick = "window_requests=1+window_ms=1";
    for _ in 0..3 {
        assert_eq!(ask(quick).await, 200);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // Tokens are counted before the answer is said.
    let tokens = "words=50+window_tokens=100+window_ms=600000";
    assert_eq!((ask(tokens).await, ask(tokens).await), (200, 429));
}

#[tokio::test]
async fn a_whole_answer_may_be_an_error_after_all() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let answer = chat(&sandbox, vendor, &with(vendor, "error_event=0"), json!({})).await;
        assert_eq!((answer.status, answer.whole), (200, true));
        assert!(answer.json()["error"]["message"].is_string(), "{}", answer.body);
        assert_eq!(sandbox.stats(vendor).errors, 1);
    }
}

/// What was sent before a reset has arrived, and the reset is one: reading on fails, where an orderly end reads nothing.
#[tokio::test]
async fn a_reset_is_no_orderly_end() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sandbox = sandbox().await;
    for (knobs, head) in [("reset=head+rst", 0), ("reset=body+rst", 1), ("cut_events=2+rst", 1)] {
        for resets in [true, false] {
            let knobs = if resets { knobs.to_owned() } else { knobs.replace("+rst", "") };
            let model = with(Vendor::OpenAi, &knobs);
            let (path, headers, body) = chat_parts(Vendor::OpenAi, &model, json!({"stream": true}));
            let mut head_bytes =
                format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
            headers.iter().for_each(|(name, value)| head_bytes.push_str(&format!("{name}: {value}\r\n")));
            let mut socket =
                tokio::net::TcpStream::connect(sandbox.addr(Vendor::OpenAi).unwrap()).await.unwrap();
            socket.write_all(&[head_bytes.as_bytes(), b"\r\n", &body].concat()).await.unwrap();
            let mut read = Vec::new();
            let ended = tokio::time::timeout(CEILING, socket.read_to_end(&mut read)).await.unwrap();
            let text = String::from_utf8_lossy(&read);
            assert_eq!(text.matches("HTTP/1.1 200").count(), head, "{knobs}");
            assert_eq!(text.matches("data: ").count(), if knobs.starts_with("cut") { 2 } else { 0 });
            let class = ended.err().map(|error| error.kind());
            assert_eq!(class, resets.then_some(std::io::ErrorKind::ConnectionReset), "{knobs}");
        }
    }
}

#[tokio::test]
async fn a_dropped_connection_answers_first_and_is_gone_later() {
    let sandbox = sandbox().await;
    let mut connection =
        open_chat(&sandbox, Vendor::OpenAi, &with(Vendor::OpenAi, "drop_ms=1"), json!({})).await;
    let answer = connection.read().await;
    assert_eq!((answer.status, answer.whole, answer.header("connection")), (200, true, None));
    let gone = connection.read().await;
    assert_eq!(gone.status, 0);
}
