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
pub(crate) const USAGE_BEFORE_FAULT: &str = "usage before an error";

fn always(_: &Value, _: &Value) -> bool {
    true
}

fn is_dropped(_: &Value, heard: &Value) -> bool {
    heard.is_null()
}

fn is_finish(said: &Value, words: &[&str]) -> bool {
    said.as_str().is_some_and(|said| words.iter().any(|word| said.starts_with(word)))
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
        callers: &[OpenAiChat, GoogleGenerate],
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
        callers: &[AnthropicMessages],
        path: "usage.audio_input",
        what: "usage: audio",
        why: "Anthropic does not count audio apart; these tokens are in the sums.",
        when: is_dropped,
    },
    Unshown {
        callers: &[AnthropicMessages],
        path: "usage.audio_output",
        what: "usage: audio",
        why: "Anthropic does not count audio apart; these tokens are in the sums.",
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
        "model" | "created" => said.is_null(),
        // A dialect's own beginning of ids may stand before the vendor's.
        "id" => {
            said.is_null()
                || heard.as_str().zip(said.as_str()).is_some_and(|(heard, said)| heard.ends_with(said))
        }
        _ if path.ends_with(".call_ids") => caller == GoogleGenerate && !heard.is_null(),
        _ => false,
    }
}
