//! Every knob, seen from outside.

use super::*;

const STREAM: fn() -> Value = || json!({"stream": true});

fn with(vendor: Vendor, knobs: &str) -> String {
    format!("{}+{knobs}", some_model(vendor))
}

#[tokio::test]
async fn statuses_come_in_the_vendors_shape() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        for status in [400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 529] {
            let answer =
                chat(&sandbox, vendor, &with(vendor, &format!("status={status}+retry_after=7")), STREAM())
                    .await;
            let header = (vendor != Vendor::Google).then_some("7");
            assert_eq!((answer.status, answer.header("retry-after")), (status, header), "{vendor:?}");
            assert_eq!(answer.body.contains(r#""retryDelay":"7s""#), vendor == Vendor::Google);
            assert!(answer.json()["error"]["message"].is_string());
        }
        let broke = chat(&sandbox, vendor, &with(vendor, "quota"), json!({})).await;
        assert!([400, 402, 429].contains(&broke.status));
        assert_eq!(broke.header("retry-after"), None);
        let stats = sandbox.stats(vendor);
        assert_eq!((stats.requests, stats.errors, stats.prompt_tokens), (12, 12, 0));
    }
}

#[tokio::test]
async fn words_set_the_length_and_leave_the_models_name() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let answer = chat(&sandbox, vendor, &with(vendor, "words=3+first_ms=1"), json!({})).await.json();
        let name = if vendor == Vendor::Google { "modelVersion" } else { "model" };
        assert_eq!(answer[name], some_model(vendor));
        let counts =
            ["/usage/completion_tokens", "/usage/output_tokens", "/usageMetadata/candidatesTokenCount"];
        assert!(counts.iter().any(|count| answer.pointer(count) == Some(&json!(3))), "{answer}");
    }
}

#[tokio::test]
async fn resets_leave_no_head_or_no_body() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        for extra in [json!({}), STREAM()] {
            let head = chat(&sandbox, vendor, &with(vendor, "reset=head"), extra.clone()).await;
            assert_eq!(head.status, 0, "{vendor:?}");
            let body = chat(&sandbox, vendor, &with(vendor, "reset=body"), extra).await;
            assert_eq!((body.status, body.body.as_str(), body.whole), (200, "", false), "{vendor:?}");
        }
        assert_eq!(sandbox.stats(vendor).errors, 4);
    }
}

#[tokio::test]
async fn every_cut_point_of_a_stream_leaves_exactly_that_much() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let whole = chat(&sandbox, vendor, &with(vendor, "words=4"), STREAM()).await;
        let count = whole.events().len();
        for cut in 0..=count {
            let answer =
                chat(&sandbox, vendor, &with(vendor, &format!("words=4+cut_events={cut}")), STREAM()).await;
            assert_eq!((answer.events().len(), answer.whole), (cut, false), "{vendor:?}");
        }
        for cut in [0, 1, 10, whole.body.len() / 2, whole.body.len() - 1] {
            let answer =
                chat(&sandbox, vendor, &with(vendor, &format!("words=4+cut_bytes={cut}")), STREAM()).await;
            assert_eq!((answer.body.len(), answer.whole), (cut, false), "{vendor:?}");
        }
        let beyond =
            chat(&sandbox, vendor, &with(vendor, "words=4+cut_events=1000+cut_bytes=100000"), STREAM()).await;
        assert!(beyond.whole);
        let stats = sandbox.stats(vendor);
        assert_eq!(
            (stats.streams_completed, stats.streams_aborted, stats.open_streams),
            (2, 0, 0),
            "{vendor:?}"
        );
    }
}

#[tokio::test]
async fn a_whole_answer_can_be_cut_too() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let answer = chat(&sandbox, vendor, &with(vendor, "cut_bytes=20"), json!({})).await;
        assert_eq!((answer.status, answer.body.len(), answer.whole), (200, 20, false));
        assert!(answer.header("content-length").is_some_and(|length| length.parse::<usize>().unwrap() > 20));
    }
}

#[tokio::test]
async fn error_events_end_a_stream_in_good_order() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let answer = chat(&sandbox, vendor, &with(vendor, "error_event=4"), STREAM()).await;
        assert!(answer.whole && !answer.body.contains("[DONE]"));
        let events = answer.events();
        assert_eq!(events.len(), 5, "{vendor:?}");
        assert_eq!(events[4].0, if vendor == Vendor::Anthropic { "error" } else { "" });
        assert!(answer.chunks()[4]["error"]["message"].is_string());
        assert_eq!(sandbox.stats(vendor).errors, 1);
    }
}

#[tokio::test]
async fn empty_and_garbage_are_200() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        let empty = chat(&sandbox, vendor, &with(vendor, "empty"), STREAM()).await;
        assert_eq!((empty.status, empty.body.as_str(), empty.whole), (200, "", true));
        assert_eq!(empty.header("content-type"), Some("text/event-stream; charset=utf-8"));
        let garbage = chat(&sandbox, vendor, &with(vendor, "garbage"), STREAM()).await;
        assert_eq!((garbage.status, garbage.header("content-type")), (200, Some("text/html")));
        assert!(garbage.body.starts_with("<html>"));
    }
}

#[tokio::test]
async fn a_stalled_stream_stays_open_until_the_client_goes() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        for stall in [0, 5] {
            let model = with(vendor, &format!("stall_events={stall}"));
            let mut connection = open_chat(&sandbox, vendor, &model, STREAM()).await;
            let enough = |answer: &Answer| {
                answer.status == 200 && answer.body.replace('\r', "").matches("\n\n").count() >= stall
            };
            let answer = connection.read_until(enough).await;
            assert_eq!((answer.events().len(), answer.whole), (stall, false));
            assert_eq!(sandbox.stats(vendor).open_streams, 1);
            drop(connection);
            lifecycle::settled(&sandbox, vendor, |stats| stats.open_streams == 0).await;
        }
        assert_eq!(sandbox.stats(vendor).streams_aborted, 2);
    }
}

#[tokio::test]
async fn each_event_is_flushed_by_itself() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        // A gap longer than the test may take: what is seen was flushed before it.
        let mut connection = open_chat(&sandbox, vendor, &with(vendor, "gap_ms=3600000"), STREAM()).await;
        let answer = connection.read_until(|answer| answer.body.replace('\r', "").ends_with("\n\n")).await;
        assert_eq!(answer.events().len(), 1, "{vendor:?}");
    }
}
