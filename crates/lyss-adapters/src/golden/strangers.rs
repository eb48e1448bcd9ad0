//! What strangers may send: events in any order, JSON near what is read, recordings with one value replaced.

use lyss_domain::TokenUsage;
use proptest::prelude::*;
use serde_json::Value;

use crate::conversation::{
    Citation, CitedPlace, Media, MediaKind, ReplyHead, SafetyLevel, SafetyRating, Seal, SealKind, Source,
    TokenLogprob,
};
use crate::{ChatEvent, Fault, FinishReason};

const TEXT: &str = "[a-z\"\\\\{}\u{0}é]{0,4}";

pub(crate) fn any_event() -> impl Strategy<Value = ChatEvent> {
    prop_oneof![4 => any_content(), 1 => any_mark()]
}

/// What a reader would see.
fn any_content() -> impl Strategy<Value = ChatEvent> {
    prop_oneof![
        (0..3_u32, TEXT).prop_map(|(choice, text)| ChatEvent::Text { choice, text }),
        (0..3_u32, TEXT).prop_map(|(choice, text)| ChatEvent::Reasoning { choice, text }),
        (0..3_u32, TEXT).prop_map(|(choice, text)| ChatEvent::Refusal { choice, text }),
        (0..3_u32, any_seal()).prop_map(|(choice, seal)| ChatEvent::ReasoningSeal { choice, seal }),
        (0..3_u32, any_citation()).prop_map(|(choice, citation)| ChatEvent::Citation { choice, citation }),
        (0..3_u32, any_media()).prop_map(|(choice, media)| ChatEvent::Media { choice, media }),
        (0..3_u32, 0..3_u32, TEXT, any::<bool>()).prop_map(|(choice, call, name, custom)| {
            ChatEvent::ToolCallStart { choice, call, id: "id".into(), name, custom }
        }),
        (0..3_u32, 0..3_u32, arguments()).prop_map(|(choice, call, text)| ChatEvent::ToolCallArguments {
            choice,
            call,
            text
        }),
    ]
}

/// What stands around it.
fn any_mark() -> impl Strategy<Value = ChatEvent> {
    let token = (TEXT, any::<f64>(), any::<bool>()).prop_map(|(token, logprob, more)| {
        let top = if more {
            vec![TokenLogprob { token: token.clone(), ..TokenLogprob::default() }]
        } else {
            vec![]
        };
        TokenLogprob { token, logprob, bytes: None, top }
    });
    let rating = SafetyRating { category: "hate".into(), level: SafetyLevel::High, blocked: true };
    prop_oneof![
        (TEXT, TEXT).prop_map(|(id, model)| ChatEvent::Start(ReplyHead {
            id,
            model,
            ..ReplyHead::default()
        })),
        (0..3_u32, prop::collection::vec(token, 0..3))
            .prop_map(|(choice, tokens)| ChatEvent::Logprobs { choice, tokens }),
        (0..3_u32).prop_map(move |choice| ChatEvent::Safety { choice, ratings: vec![rating.clone()] }),
        (0..3_u32, any_finish()).prop_map(|(choice, reason)| ChatEvent::Finish { choice, reason }),
        any::<u64>()
            .prop_map(|tokens| ChatEvent::Usage(TokenUsage { input: tokens, ..TokenUsage::default() })),
        Just(ChatEvent::End),
        Just(()).prop_map(|()| ChatEvent::Fault(Fault::bad_request("no", None))),
    ]
}

/// Pieces of a JSON object, and what is none.
fn arguments() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["{", "}", "{}", "{\"a\":", "1}", "\"", "[", "", "x"]).prop_map(str::to_owned)
}

fn any_seal() -> impl Strategy<Value = Seal> {
    let kinds =
        vec![SealKind::AnthropicSignature, SealKind::AnthropicRedacted, SealKind::OpenAi, SealKind::Google];
    (prop::sample::select(kinds), TEXT).prop_map(|(kind, data)| Seal::new(kind, data))
}

fn any_citation() -> impl Strategy<Value = Citation> {
    let places = vec![
        CitedPlace::Url("https://example.com/a".into()),
        CitedPlace::Document { index: 0, unit: "char", from: 1, to: 4 },
        CitedPlace::File { id: "file-1".into(), name: None, index: Some(3) },
    ];
    (prop::sample::select(places), any::<Option<(u8, u8)>>()).prop_map(|(place, span)| Citation {
        place,
        title: None,
        cited_text: None,
        span: span.map(|(from, to)| (from.into(), to.into())),
    })
}

fn any_media() -> impl Strategy<Value = Media> {
    let kinds = vec![MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::File];
    let sources = vec![
        Source::Data("AAAA".into()),
        Source::Url("https://example.com/a.png".into()),
        Source::FileId("f".into()),
        Source::Text("t".into()),
    ];
    (prop::sample::select(kinds), prop::sample::select(sources))
        .prop_map(|(kind, source)| Media::new(kind, source, None))
}

fn any_finish() -> impl Strategy<Value = FinishReason> {
    prop::sample::select(vec![
        FinishReason::Stop,
        FinishReason::StopSequence(None),
        FinishReason::StopSequence(Some("x".into())),
        FinishReason::Length,
        FinishReason::ToolCalls,
        FinishReason::ContentFilter,
        FinishReason::Refusal,
        FinishReason::Pause,
        FinishReason::MalformedCall,
    ])
}

/// Names and kinds of all dialects.
const WORDS: &str = "
    type role content text index delta choices messages message tools function tool_calls id name
    arguments usage error user assistant tool message_start content_block content_block_start
    content_block_delta content_block_stop message_delta message_stop text_delta input_json_delta
    tool_use input model stop tool_choice finish_reason stop_reason parameters stream_options code
    innererror tool_call_id instructions output output_text input_text input_image function_call call_id
    function_call_output reasoning summary encrypted_content response response.created
    response.output_item.added response.output_item.done response.output_text.delta response.completed
    item item_id output_index content_index sequence_number incomplete_details status thinking signature
    signature_delta thinking_delta redacted_thinking data tool_result tool_use_id is_error cache_control
    source base64 media_type image image_url url document citations contents parts inlineData mimeType
    functionCall functionResponse args thought thoughtSignature candidates finishReason usageMetadata
    promptTokenCount generationConfig responseSchema systemInstruction functionDeclarations
    promptFeedback blockReason safetyRatings groundingMetadata reasoning_content reasoning_details
    response_format json_schema schema audio file file_data filename logprobs top_logprobs
";

/// JSON with the words of the formats in it, so that it comes near what is read.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS.split_whitespace().collect::<Vec<_>>());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..7).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

/// Every value inside a JSON value, by its pointer.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, item)| (name.clone(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        pointers(child, format!("{at}/{name}"), found);
    }
    found.push(at);
}

pub(crate) fn replace_one(value: &mut Value, which: prop::sample::Index, by: &Value) {
    let mut found = Vec::new();
    pointers(value, String::new(), &mut found);
    if let Some(target) = value.pointer_mut(which.get::<String>(&found)) {
        *target = by.clone();
    }
}
