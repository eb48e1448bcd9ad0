//! One conversation carried from a caller's dialect to a vendor's and read again there: what arrived, what was named
//! as lost, and what vanished without a word.

use lyss_adapters::conversation::ChatEvent;
use lyss_adapters::quirks::ReasoningBack;
use lyss_adapters::{ChatCall, Dialect, Encoded, Encoding, Fault, Loss};
use serde_json::Value;
use serde_json::value::RawValue;

use super::call_form::CallForm;
use super::fixtures::{self, Case, VendorKind};
use super::reply_form::ReplyForm;
use super::unshown;

/// How a crossing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The same dialect on both sides: the bytes go through.
    Pass,
    /// Everything arrived.
    Whole,
    /// Everything else arrived; these paths did not, and the caller is told.
    Lost(Vec<String>),
    /// The caller is told why not.
    Refused(String),
    /// Something vanished or changed and nobody was told: a mistake of ours.
    Broken(Vec<String>),
}

/// A request of the case's dialect on its way to a vendor. `None`: there is none, or a side is not written.
pub(crate) fn request(case: &Case, vendor: &VendorKind) -> Option<Outcome> {
    let caller = case.dialect.caller()?;
    let side = vendor.dialect.vendor()?;
    let call = match read(case.dialect, &case.request()?, false) {
        Ok(call) => call,
        Err(fault) => return Some(Outcome::Refused(fault.message)),
    };
    let encoding = Encoding { model: vendor.model, output_limit: None, quirks: vendor.quirks };
    let encoded = match side.encode(&call, &encoding) {
        Ok(encoded) => encoded,
        Err(unsayable) => return Some(Outcome::Refused(unsayable.into_fault(caller).message)),
    };
    let shows_thoughts = vendor.quirks.reasoning != ReasoningBack::Dropped;
    let mut broken = unheard(&call, &encoded, vendor.dialect, shows_thoughts);
    for path in &call.unmapped {
        if !encoded.losses.contains(&Loss::Field(path.clone())) {
            broken.push(format!("`{path}` has no canonical form and is not named as lost"));
        }
    }
    let mut paths: Vec<_> = encoded.losses.iter().map(|loss| caller.path(loss)).collect();
    paths.sort();
    paths.dedup();
    Some(match (broken.is_empty(), paths.is_empty()) {
        (false, _) => Outcome::Broken(broken),
        (true, false) => Outcome::Lost(paths),
        (true, true) => Outcome::Whole,
    })
}

/// A request as its dialect's own caller side reads it.
pub(crate) fn read(dialect: Dialect, body: &[u8], stream: bool) -> Result<ChatCall, Fault> {
    let side = dialect.caller().ok_or_else(|| Fault::bad_request("no such caller", None))?;
    side.parse(&fixtures::ask(dialect, body, stream)?)
}

/// What the encoded body does not say, asked of the vendor's dialect's own reader of requests.
pub(crate) fn unheard(
    call: &ChatCall,
    encoded: &Encoded,
    dialect: Dialect,
    shows_thoughts: bool,
) -> Vec<String> {
    if serde_json::from_slice::<&RawValue>(&encoded.body).is_err() {
        return vec!["the encoded body is not JSON".to_owned()];
    }
    if dialect.caller().is_none() {
        return Vec::new();
    }
    match read(dialect, &encoded.body, call.stream) {
        Ok(heard) => {
            let (said, losses) = (CallForm::of(call), &encoded.losses);
            let form = CallForm::of(&heard);
            let mut found = match shows_thoughts {
                true => said.unexplained_where_thoughts_show(&form, dialect, losses),
                false => said.unexplained(&form, dialect, losses),
            };
            found.extend(
                heard
                    .unmapped
                    .iter()
                    .map(|path| format!("wrote `{path}`, which our own reader does not know")),
            );
            found
        }
        Err(fault) => vec![format!("our own reader refuses what was written: {}", fault.message)],
    }
}

/// A whole answer of the case's vendor, shown to a caller.
pub(crate) fn reply(case: &Case, caller: Dialect) -> Option<Outcome> {
    let side = caller.caller()?;
    let body = case.reply()?;
    let said = match case.dialect.vendor()?.decode(&body) {
        Ok(reply) => reply,
        Err(fault) => return Some(Outcome::Refused(fault.message)),
    };
    let rendered = side.render(&said, &fixtures::rendering());
    if serde_json::from_slice::<&RawValue>(&rendered).is_err() {
        return Some(Outcome::Broken(vec!["the rendered answer is not JSON".to_owned()]));
    }
    let Some(reader) = caller.vendor() else { return Some(Outcome::Whole) };
    Some(match reader.decode(&rendered) {
        Ok(heard) => compare(caller, &ReplyForm::of_reply(&said), &ReplyForm::of_reply(&heard)),
        Err(fault) => Outcome::Broken(vec![format!("our own reader refuses the answer: {}", fault.message)]),
    })
}

/// A streamed answer of the case's vendor, shown to a caller.
pub(crate) fn stream(case: &Case, caller: Dialect) -> Option<Outcome> {
    caller.caller()?;
    case.dialect.vendor()?;
    let said = events(case.dialect, &case.stream()?);
    let rendered = fixtures::render(caller, &said, &fixtures::rendering());
    caller.vendor()?;
    let heard = events(caller, &rendered);
    Some(compare(caller, &ReplyForm::of_events(&said), &ReplyForm::of_events(&heard)))
}

/// The events of a stream; a fault of the decoder as the last of them.
pub(crate) fn events(dialect: Dialect, stream: &[u8]) -> Vec<ChatEvent> {
    let (mut events, result) = fixtures::decode(dialect, [stream]);
    events.extend(result.err().map(ChatEvent::Fault));
    events
}

fn compare(caller: Dialect, said: &ReplyForm, heard: &ReplyForm) -> Outcome {
    let mut lost = Vec::new();
    let mut broken = Vec::new();
    let mut said = said.clone();
    if matches!(caller, Dialect::AnthropicMessages | Dialect::GoogleGenerate) {
        let folded = said.with_refusals_as_text();
        if folded != said {
            lost.push(unshown::REFUSAL_AS_TEXT.to_owned());
        }
        said = folded;
    }
    let said = &said;
    let is_broken_off = said.said.contains_key("fault.kind");
    let keeps_sums = sums(said) == sums(heard);
    if !keeps_sums && !is_broken_off {
        broken.push(format!("usage: said {:?} (prompt, completion), heard {:?}", sums(said), sums(heard)));
    }
    for (path, said, heard) in said.differences(heard) {
        if unshown::is_same(caller, &path, &said, &heard) || (keeps_sums && SUMMED.contains(&path.as_str())) {
            continue;
        }
        if is_broken_off && heard.is_null() && (path.starts_with("usage.") || path == "id" || path == "model")
        {
            lost.push(unshown::USAGE_BEFORE_FAULT.to_owned());
            continue;
        }
        match unshown::of(caller, &path, &said, &heard) {
            Some(row) => lost.push(row.what.to_owned()),
            None => broken.push(format!("{path}: said {}, heard {}", short(&said), short(&heard))),
        }
    }
    lost.sort();
    lost.dedup();
    match (broken.is_empty(), lost.is_empty()) {
        (false, _) => Outcome::Broken(broken),
        (true, false) => Outcome::Lost(lost),
        (true, true) => Outcome::Whole,
    }
}

/// Classes that hold what a dialect has no class for: the sums show that nothing is lost or counted twice.
const SUMMED: [&str; 3] = ["usage.input", "usage.output", "usage.cache_write"];

/// All tokens of the prompt and all of the answer.
fn sums(form: &ReplyForm) -> (u64, u64) {
    let of = |names: &[&str]| {
        names.iter().filter_map(|name| form.said.get(&format!("usage.{name}"))?.as_u64()).sum()
    };
    let prompt = ["input", "cache_read", "cache_write", "cache_write_long", "audio_input"];
    (of(&prompt), of(&["output", "audio_output"]))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 200 { text.chars().take(200).chain(['…']).collect() } else { text }
}
