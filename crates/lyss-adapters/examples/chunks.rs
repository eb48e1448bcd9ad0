//! Prints what one streamed chunk costs: nanoseconds for each vendor's decoder alone, for each decoder with each caller's
//! renderer, and for each tap. `cargo run --release -p lyss-adapters --example chunks`; takes a few seconds. The chunks
//! are the text deltas of a long answer, which is nearly all that ever streams.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool that measures time and prints it"
)]

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use lyss_adapters::{ChatEvent, Dialect, Rendering};
use lyss_domain::Timestamp;
use lyss_wire::{SseFrame, SseFramer};

const CHUNKS: u32 = 20_000;
const ROUNDS: u32 = 3;

/// What opens a stream, and its every chunk.
fn stream(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::OpenAiChat => (
            "",
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1763970000,\"model\":\"gpt-5\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" and then\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"a1b2c3\"}\n\n",
        ),
        Dialect::OpenAiResponses => (
            "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":1763970000,\"model\":\"gpt-5\",\"status\":\"in_progress\",\"output\":[]}}\n\n",
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\" and then\",\"logprobs\":[],\"obfuscation\":\"a1b2c3\"}\n\n",
        ),
        Dialect::AnthropicMessages => (
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" and then\"}}\n\n",
        ),
        Dialect::GoogleGenerate => (
            "",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" and then\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":3,\"totalTokenCount\":12,\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":9}]},\"modelVersion\":\"gemini-2.5-pro\",\"responseId\":\"r1\"}\n\n",
        ),
    }
}

fn frames(dialect: Dialect) -> Vec<SseFrame> {
    let (head, chunk) = stream(dialect);
    let mut framer = SseFramer::new(1 << 20);
    let mut frames = Vec::new();
    framer.feed(head.as_bytes(), &mut frames).unwrap();
    for _ in 0..CHUNKS {
        framer.feed(chunk.as_bytes(), &mut frames).unwrap();
    }
    frames
}

/// The best of a few rounds, in nanoseconds per chunk.
fn best(mut round: impl FnMut()) -> u128 {
    let one = |round: &mut dyn FnMut()| {
        let begun = Instant::now();
        round();
        begun.elapsed().as_nanos() / u128::from(CHUNKS)
    };
    (0..ROUNDS).map(|_| one(&mut round)).min().unwrap_or_default()
}

/// Decodes every frame, and renders what it says where a caller is named.
fn carry(vendor: Dialect, caller: Option<Dialect>, frames: &[SseFrame]) {
    let mut decoder = vendor.vendor().unwrap().decoder();
    let rendering = Rendering::at(Timestamp::from_millis(1_763_970_000_000));
    let mut renderer = caller.map(|caller| caller.caller().unwrap().renderer(&rendering));
    let mut events: Vec<ChatEvent> = Vec::new();
    let mut out = BytesMut::new();
    for frame in frames {
        decoder.feed(frame, &mut events).unwrap();
        if let Some(renderer) = &mut renderer {
            for event in &events {
                renderer.event(event, &mut out);
            }
        }
        events.clear();
        // As the relay does: what is written is sent on.
        std::hint::black_box(out.split());
    }
}

fn main() {
    println!("ns per chunk      decoder  → chat  → responses  → messages  → google      tap");
    for vendor in Dialect::ALL {
        let frames = frames(vendor);
        let alone = best(|| carry(vendor, None, &frames));
        let pairs = Dialect::ALL.map(|caller| best(|| carry(vendor, Some(caller), &frames)));
        let chunk = Bytes::from_static(stream(vendor).1.as_bytes());
        let tap = best(|| {
            let mut tap = vendor.pass().unwrap().tap(false);
            for _ in 0..CHUNKS {
                std::hint::black_box(tap.feed(chunk.clone()));
            }
        });
        let [chat, responses, messages, google] = pairs;
        println!(
            "{:<18} {alone:>6}  {chat:>6}  {responses:>11}  {messages:>10}  {google:>8}  {tap:>7}",
            vendor.as_str()
        );
    }
}
