//! What an answer loses because the caller's dialect has no place for it. Everything that is not here arrives, which
//! the tests hold for every recording.

use lyss_adapters::Dialect::{self, AnthropicMessages, GoogleGenerate, OpenAiChat, OpenAiResponses};
use serde_json::Value;

/// One thing that a dialect cannot show.
pub(crate) struct Unshown {
    pub(crate) callers: &'static [Dialect],
    /// How the path ends, or begins, in a [`ReplyForm`](super::reply_form::ReplyForm).
    path: &'static str,
    /// Under which name it is reported.
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    /// Only where this is so of the value said and the value heard.
    when: fn(&Value, &Value) -> bool,
}

/// A dialect's error ends the stream, and none has room for usage.
pub(crate) const USAGE_BEFORE_FAULT: &str = "head and usage before an error";

/// Two dialects have no refusals apart from texts.
pub(crate) const REFUSAL_AS_TEXT: &str = "refusal apart from the text";

fn always(_: &Value, _: &Value) -> bool {
    true
}

fn is_dropped(_: &Value, heard: &Value) -> bool {
    heard.is_null()
}

fn is_finish(said: &Value, words: &[&str]) -> bool {
    said.as_str().is_some_and(|said| words.iter().any(|word| said.starts_with(word)))
}

/// The same calls, of which some stand as the one field of an object.
pub(crate) fn is_wrapped(said: &Value, heard: &Value) -> bool {
    let (Some(said), Some(heard)) = (said.as_array(), heard.as_array()) else { return false };
    said.len() == heard.len()
        && said.iter().zip(heard).all(|(said, heard)| {
            let only = heard[1]
                .as_object()
                .filter(|fields| fields.len() == 1)
                .and_then(|fields| fields.values().next());
            said[0] == heard[0] && (said[1] == heard[1] || only == Some(&said[1]))
        })
}

/// The same sources in the same order, and no place that was not said.
pub(crate) fn is_same_sources(said: &Value, heard: &Value) -> bool {
    let source = |citation: &Value| (citation[0].clone(), citation[1].clone(), citation[2].clone());
    let all = |list: &Value| list.as_array().map(|list| list.iter().map(source).collect::<Vec<_>>());
    all(said) == all(heard)
}

fn is_same_but_places(said: &Value, heard: &Value) -> bool {
    let places = |list: &Value| {
        list.as_array().map(|list| list.iter().map(|citation| citation[3].clone()).collect::<Vec<_>>())
    };
    let (Some(said_places), Some(heard_places)) = (places(said), places(heard)) else { return false };
    let is_kept = said_places.iter().zip(&heard_places).all(|(said, heard)| said.is_null() || said == heard);
    is_same_sources(said, heard) && is_kept
}

/// All addresses, and nothing else was left out. A place in the text may be said where none was: all dialects but
/// Anthropic's want one.
fn are_addresses_of(said: &Value, heard: &Value) -> bool {
    let none = Vec::new();
    let is_address = |citation: &&Value| citation[0].as_str().is_some_and(|place| place.starts_with("Url"));
    let said: Vec<_> = said.as_array().unwrap_or(&none).iter().filter(is_address).collect();
    let heard: Vec<_> = heard.as_array().unwrap_or(&none).iter().filter(is_address).collect();
    said.len() == heard.len()
        && said.iter().zip(heard).all(|(said, heard)| {
            said[0] == heard[0] && said[1] == heard[1] && (said[3].is_null() || said[3] == heard[3])
        })
}

fn without_seals(order: &Value) -> String {
    let mut kept = String::new();
    for letter in order.as_str().unwrap_or_default().chars().filter(|letter| *letter != 's') {
        if !kept.ends_with(letter) || letter == 'c' {
            kept.push(letter);
        }
    }
    kept
}

/// The whole table: who, what, why.
pub(crate) const UNSHOWN: &[Unshown] = &[
    Unshown {
        callers: &[AnthropicMessages, GoogleGenerate],
        path: "created",
        what: "created",
        why: "These dialects do not say when an answer was made.",
        when: is_dropped,
    },
    Unshown {
        callers: &[AnthropicMessages, GoogleGenerate],
        path: "system_fingerprint",
        what: "system_fingerprint",
        why: "OpenAI chat alone names the configuration that answered.",
        when: is_dropped,
    },
    Unshown {
        callers: &[OpenAiResponses],
        path: "system_fingerprint",
        what: "system_fingerprint",
        why: "OpenAI chat alone names the configuration that answered.",
        when: is_dropped,
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, AnthropicMessages],
        path: ".safety",
        what: "safety",
        why: "Only Google lists what each of its filters found; a filter that stopped the answer shows as the finish reason.",
        when: is_dropped,
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, GoogleGenerate],
        path: ".finish",
        what: "finish: which stop sequence",
        why: "Anthropic alone tells a stop sequence from an ordinary end, and names it.",
        when: |said, heard| is_finish(said, &["StopSequence"]) && is_finish(heard, &["Stop"]),
    },
    Unshown {
        callers: &[GoogleGenerate],
        path: "service_tier",
        what: "service_tier",
        why: "Google's answers do not say in which tier they were made.",
        when: is_dropped,
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, GoogleGenerate],
        path: ".finish",
        what: "finish: refusal",
        why: "These dialects have no finish reason for a model that declined: it shows as a filtered answer.",
        when: |said, heard| is_finish(said, &["Refusal"]) && is_finish(heard, &["ContentFilter", "Stop"]),
    },
    Unshown {
        callers: &[AnthropicMessages],
        path: ".finish",
        what: "finish: content filter",
        why: "Anthropic has one word, refusal, for a model that declined and for a filter that stopped it.",
        when: |said, heard| is_finish(said, &["ContentFilter"]) && is_finish(heard, &["Refusal"]),
    },
    Unshown {
        callers: &[AnthropicMessages, GoogleGenerate, OpenAiResponses],
        path: ".calls",
        what: "free text of a call",
        why: "A call that is no JSON object (a custom tool's, a broken one) stands in an object of one field, since these dialects take objects alone.",
        when: |said, heard| is_wrapped(said, heard),
    },
    Unshown {
        callers: &[AnthropicMessages, OpenAiResponses],
        path: ".media",
        what: "media",
        why: "These dialects have no images, sounds or films among the parts of an answer.",
        when: is_dropped,
    },
    Unshown {
        callers: &[AnthropicMessages, OpenAiResponses],
        path: ".order",
        what: "media",
        why: "",
        when: |said, _| said.as_str().is_some_and(|order| order.contains('m')),
    },
    Unshown {
        callers: &[AnthropicMessages],
        path: ".citations",
        what: "citations: where in the text",
        why: "Anthropic marks a whole block of text with its sources, and not a place in it.",
        when: |said, heard| is_same_sources(said, heard),
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, GoogleGenerate],
        path: ".citations",
        what: "citations: documents of the request",
        why: "Only Anthropic cites places in the request's own documents; the other dialects cite addresses alone.",
        when: |said, heard| are_addresses_of(said, heard),
    },
    Unshown {
        callers: &[AnthropicMessages],
        path: "service_tier",
        what: "service_tier",
        why: "Anthropic knows its own tiers alone.",
        when: is_dropped,
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, GoogleGenerate],
        path: ".finish",
        what: "finish: pause",
        why: "Anthropic alone pauses a long turn; elsewhere it shows as an ordinary end.",
        when: |said, heard| is_finish(said, &["Pause"]) && is_finish(heard, &["Stop"]),
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, AnthropicMessages],
        path: ".finish",
        what: "finish: malformed call",
        why: "Google alone says that a call could not be read; elsewhere it shows as an ordinary end without the call.",
        when: |said, heard| is_finish(said, &["MalformedCall"]) && is_finish(heard, &["Stop", "ToolCalls"]),
    },
    Unshown {
        callers: &[GoogleGenerate],
        path: ".order",
        what: "place of a seal",
        why: "A seal of Google's stands on a part; on a text it may be read before or behind its last piece.",
        when: |said, heard| without_seals(said) == without_seals(heard),
    },
    Unshown {
        callers: &[AnthropicMessages, OpenAiResponses],
        path: "usage.audio_input",
        what: "usage: audio",
        why: "These dialects do not count audio apart; the tokens are in the sums.",
        when: is_dropped,
    },
    Unshown {
        callers: &[AnthropicMessages, OpenAiResponses],
        path: "usage.audio_output",
        what: "usage: audio",
        why: "These dialects do not count audio apart; the tokens are in the sums.",
        when: is_dropped,
    },
    Unshown {
        callers: &[AnthropicMessages, OpenAiResponses],
        path: "choices[1]",
        what: "second answer",
        why: "These dialects give one answer and have no way to ask for more; a caller of theirs gets none.",
        when: is_dropped,
    },
    Unshown {
        callers: &[OpenAiChat],
        path: ".order",
        what: "order of parts",
        why: "An OpenAI chat message has one text, one list of tool calls and one reasoning; which came first is not said.",
        when: always,
    },
    Unshown {
        callers: &[OpenAiChat, OpenAiResponses, GoogleGenerate],
        path: "usage.cache_write_long",
        what: "usage: written to the cache for long",
        why: "Anthropic alone tells the two lifetimes of its cache apart; elsewhere these tokens are in another class of the prompt's sum.",
        when: is_dropped,
    },
    Unshown {
        callers: &[AnthropicMessages],
        path: ".logprobs",
        what: "logprobs",
        why: "Anthropic messages have no log probabilities.",
        when: is_dropped,
    },
];

/// The row that explains a difference.
pub(crate) fn of(caller: Dialect, path: &str, said: &Value, heard: &Value) -> Option<&'static Unshown> {
    UNSHOWN.iter().find(|row| {
        row.callers.contains(&caller)
            && (path.ends_with(row.path) || path.starts_with(row.path))
            && (row.when)(said, heard)
    })
}

/// Not a loss: what every dialect must say and the vendor did not, and ids that the dialect makes itself.
pub(crate) fn is_same(caller: Dialect, path: &str, said: &Value, heard: &Value) -> bool {
    match path {
        "model" | "created" | "service_tier" => said.is_null(),
        // A dialect's own beginning of ids may stand before the vendor's.
        "id" => {
            said.is_null()
                || heard.as_str().zip(said.as_str()).is_some_and(|(heard, said)| heard.ends_with(said))
        }
        // The other dialects want a place in the text: the whole of it where none was said.
        _ if path.ends_with(".citations") => is_same_but_places(said, heard),
        // In OpenAI's dialects a refusal is told by its part; both ways of finishing may stand beside it.
        _ if path.ends_with(".finish") && matches!(caller, OpenAiChat | OpenAiResponses) => {
            is_finish(said, &["Stop", "Refusal"])
                && is_finish(heard, &["Stop", "Refusal"])
                && !is_finish(said, &["StopSequence"])
        }
        _ if path.ends_with(".call_ids") => caller == GoogleGenerate && !heard.is_null(),
        _ => false,
    }
}
