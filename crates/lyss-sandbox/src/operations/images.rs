//! Pictures: always the same one, a single grey pixel.

use serde_json::Value;

use super::multipart::Form;
use super::{CREATED, invalid, missing, tokens_of};
use crate::reading::{count, text};
use crate::refusal::Refusal;
use crate::server::Spoken;
use crate::template::filled;

/// One pixel of eight-bit grey, as PNG, in base64.
pub(super) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
const WHOLE: &str = r#"{"created":$created,"background":"opaque","data":[$data],"output_format":"png","quality":"low","size":"1024x1024","usage":{"input_tokens":$input,"input_tokens_details":{"image_tokens":$image,"text_tokens":$text},"output_tokens":$output,"total_tokens":$total}}"#;
/// Of one picture of low quality, as the guide "Image generation" counts it.
const PICTURE_TOKENS: u64 = 272;
const INPUT_PICTURE_TOKENS: u64 = 194;
const MAX_PICTURES: u64 = 10;

pub(super) fn generate(body: &Value, _model: &str) -> Result<Spoken, Refusal> {
    let prompt = text(body, "prompt");
    if prompt.is_empty() {
        return Err(missing("prompt"));
    }
    answer(prompt, count(body, "n").unwrap_or(1), 0)
}

pub(super) fn edit(form: &Form<'_>, _model: &str) -> Result<Spoken, Refusal> {
    let prompt = form.text("prompt");
    if prompt.is_empty() {
        return Err(missing("prompt"));
    }
    let pictures = form.files("image").count() + form.files("image[]").count();
    if pictures == 0 {
        return Err(missing("image"));
    }
    let wanted = form.text("n");
    let wanted =
        if wanted.is_empty() { 1 } else { wanted.parse().map_err(|_| invalid("n", "not a number"))? };
    answer(prompt, wanted, pictures as u64 * INPUT_PICTURE_TOKENS)
}

fn answer(prompt: &str, pictures: u64, image_tokens: u64) -> Result<Spoken, Refusal> {
    if !(1..=MAX_PICTURES).contains(&pictures) {
        return Err(invalid("n", "between 1 and 10 are allowed"));
    }
    let one = format!(r#"{{"b64_json":"{PIXEL}"}}"#);
    let data = vec![one; usize::try_from(pictures).unwrap_or(1)].join(",");
    let text = tokens_of(prompt);
    let (input, output) = (text + image_tokens, pictures * PICTURE_TOKENS);
    let slots = [
        ("created", CREATED),
        ("data", &data),
        ("input", &input.to_string()),
        ("image", &image_tokens.to_string()),
        ("text", &text.to_string()),
        ("output", &output.to_string()),
        ("total", &(input + output).to_string()),
    ];
    let output = usize::try_from(output).unwrap_or(usize::MAX);
    Ok(Spoken::whole(filled(WHOLE, &slots).into_bytes(), output, input))
}
