//! The words of OpenAI's wire, one table per vendor. `$name` is filled in; key orders are the vendors' own.

use crate::vendor::Vendor;

pub(super) struct Wire {
    /// One entry of the models list.
    pub(super) model: &'static str,
    /// An answer that is not streamed, and one of its choices.
    pub(super) whole: &'static str,
    pub(super) choice: &'static str,
    pub(super) usage: &'static str,
    /// An event before all others.
    pub(super) prelude: Option<&'static str>,
    /// The event around a choice's delta.
    pub(super) chunk: &'static str,
    pub(super) open: &'static str,
    pub(super) thought: &'static str,
    pub(super) word: &'static str,
    pub(super) call: &'static str,
    pub(super) arguments: &'static str,
    /// The same of a custom tool.
    pub(super) custom: &'static str,
    pub(super) input: &'static str,
    pub(super) close: &'static str,
}

pub(super) fn of(vendor: Vendor, reasons: bool) -> &'static Wire {
    match vendor {
        Vendor::AzureOpenAi => &AZURE,
        Vendor::DeepSeek if reasons => &DEEPSEEK_REASONER,
        Vendor::DeepSeek => &DEEPSEEK,
        Vendor::OpenAi | Vendor::Anthropic | Vendor::Google => &OPENAI,
    }
}

const OPENAI: Wire = Wire {
    model: r#"{"id":$model,"object":"model","created":$created,"owned_by":"system"}"#,
    whole: r#"{"id":"$id","object":"chat.completion","created":$created,"model":$model,"choices":[$choices],"usage":$usage,"service_tier":"$tier","system_fingerprint":"fp_sandbox"}"#,
    choice: r#"{"index":$index,"message":{"role":"assistant","content":$content$calls,"refusal":$refusal,"annotations":[$annotations]},"logprobs":$logprobs,"finish_reason":"$finish"}"#,
    usage: r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$hit,"audio_tokens":$audio},"completion_tokens_details":{"reasoning_tokens":$reasoning,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#,
    prelude: None,
    chunk: concat!(
        r#"data: {"id":"$id","object":"chat.completion.chunk","created":$created,"model":$model,"service_tier":"$tier","system_fingerprint":"fp_sandbox","choices":[$choices]$usage}"#,
        "\n\n"
    ),
    open: r#"{"index":$index,"delta":{"role":"assistant","content":$content,"refusal":null},"logprobs":null,"finish_reason":null}"#,
    thought: "",
    word: r#"{"index":$index,"delta":{"$field":$text},"logprobs":$logprobs,"finish_reason":null}"#,
    call: r#"{"index":$index,"delta":{$lead"tool_calls":[{"index":$call,"id":"$id","type":"function","function":{"name":$name,"arguments":""}}]},"logprobs":null,"finish_reason":null}"#,
    arguments: r#"{"index":$index,"delta":{"tool_calls":[{"index":$call,"function":{"arguments":$text}}]},"logprobs":null,"finish_reason":null}"#,
    custom: r#"{"index":$index,"delta":{$lead"tool_calls":[{"index":$call,"id":"$id","type":"custom","custom":{"name":$name,"input":""}}]},"logprobs":null,"finish_reason":null}"#,
    input: r#"{"index":$index,"delta":{"tool_calls":[{"index":$call,"custom":{"input":$text}}]},"logprobs":null,"finish_reason":null}"#,
    close: r#"{"index":$index,"delta":{},"logprobs":null,"finish_reason":"$finish"}"#,
};

const AZURE: Wire = Wire {
    model: r#"{"id":$model,"object":"model","status":"succeeded","created_at":$created,"updated_at":$created,"lifecycle_status":"generally-available","capabilities":{"fine_tune":false,"inference":true,"completion":false,"chat_completion":true,"embeddings":false}}"#,
    whole: r#"{"choices":[$choices],"created":$created,"id":"$id","model":$model,"object":"chat.completion","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"detected":false,"filtered":false},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}],"system_fingerprint":"fp_sandbox","usage":$usage}"#,
    choice: r#"{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}},"finish_reason":"$finish","index":$index,"logprobs":$logprobs,"message":{"content":$content,"refusal":$refusal,"role":"assistant"$calls}}"#,
    usage: r#"{"completion_tokens":$completion,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":$reasoning,"rejected_prediction_tokens":0},"prompt_tokens":$prompt,"prompt_tokens_details":{"audio_tokens":$audio,"cached_tokens":$hit},"total_tokens":$total}"#,
    prelude: Some(concat!(
        r#"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"detected":false,"filtered":false},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}]}"#,
        "\n\n"
    )),
    chunk: concat!(
        r#"data: {"choices":[$choices],"created":$created,"id":"$id","model":$model,"object":"chat.completion.chunk","system_fingerprint":"fp_sandbox"$usage}"#,
        "\n\n"
    ),
    open: r#"{"content_filter_results":{},"delta":{"content":$content,"refusal":null,"role":"assistant"},"finish_reason":null,"index":$index,"logprobs":null}"#,
    thought: "",
    word: r#"{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}},"delta":{"$field":$text},"finish_reason":null,"index":$index,"logprobs":$logprobs}"#,
    call: r#"{"content_filter_results":{},"delta":{$lead"tool_calls":[{"function":{"arguments":"","name":$name},"id":"$id","index":$call,"type":"function"}]},"finish_reason":null,"index":$index,"logprobs":null}"#,
    arguments: r#"{"content_filter_results":{},"delta":{"tool_calls":[{"function":{"arguments":$text},"index":$call}]},"finish_reason":null,"index":$index,"logprobs":null}"#,
    custom: OPENAI.custom,
    input: OPENAI.input,
    close: r#"{"content_filter_results":{},"delta":{},"finish_reason":"$finish","index":$index,"logprobs":null}"#,
};

const DEEPSEEK: Wire = Wire {
    model: r#"{"id":$model,"object":"model","owned_by":"deepseek"}"#,
    whole: r#"{"id":"$id","object":"chat.completion","created":$created,"model":$model,"choices":[$choices],"usage":$usage,"system_fingerprint":"fp_sandbox"}"#,
    choice: r#"{"index":$index,"message":{"role":"assistant","content":$content$calls},"logprobs":$logprobs,"finish_reason":"$finish"}"#,
    usage: r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$hit},"prompt_cache_hit_tokens":$hit,"prompt_cache_miss_tokens":$miss}"#,
    prelude: None,
    chunk: concat!(
        r#"data: {"id":"$id","object":"chat.completion.chunk","created":$created,"model":$model,"system_fingerprint":"fp_sandbox","choices":[$choices]$usage}"#,
        "\n\n"
    ),
    open: r#"{"index":$index,"delta":{"role":"assistant","content":$content},"logprobs":null,"finish_reason":null}"#,
    thought: "",
    word: r#"{"index":$index,"delta":{"$field":$text},"logprobs":$logprobs,"finish_reason":null}"#,
    call: r#"{"index":$index,"delta":{$lead"tool_calls":[{"index":$call,"id":"$id","type":"function","function":{"name":$name,"arguments":""}}]},"logprobs":null,"finish_reason":null}"#,
    arguments: r#"{"index":$index,"delta":{"tool_calls":[{"index":$call,"function":{"arguments":$text}}]},"logprobs":null,"finish_reason":null}"#,
    custom: OPENAI.custom,
    input: OPENAI.input,
    close: r#"{"index":$index,"delta":{"content":""},"logprobs":null,"finish_reason":"$finish"}"#,
};

const DEEPSEEK_REASONER: Wire = Wire {
    choice: r#"{"index":$index,"message":{"role":"assistant","content":$content,"reasoning_content":$thoughts$calls},"logprobs":$logprobs,"finish_reason":"$finish"}"#,
    usage: r#"{"prompt_tokens":$prompt,"completion_tokens":$completion,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$hit},"completion_tokens_details":{"reasoning_tokens":$reasoning},"prompt_cache_hit_tokens":$hit,"prompt_cache_miss_tokens":$miss}"#,
    open: r#"{"index":$index,"delta":{"role":"assistant","content":null,"reasoning_content":""},"logprobs":null,"finish_reason":null}"#,
    thought: r#"{"index":$index,"delta":{"content":null,"reasoning_content":$text},"logprobs":null,"finish_reason":null}"#,
    word: r#"{"index":$index,"delta":{"$field":$text,"reasoning_content":null},"logprobs":$logprobs,"finish_reason":null}"#,
    custom: OPENAI.custom,
    input: OPENAI.input,
    close: r#"{"index":$index,"delta":{"content":"","reasoning_content":null},"logprobs":null,"finish_reason":"$finish"}"#,
    model: DEEPSEEK.model,
    whole: DEEPSEEK.whole,
    prelude: None,
    chunk: DEEPSEEK.chunk,
    call: DEEPSEEK.call,
    arguments: DEEPSEEK.arguments,
};
