//! The error object, which is that of chat completions, and its two forms inside a stream: the event `error` and the
//! event `response.failed`.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialect::{CallerSide, VendorSide};
use crate::fault::status_of;
use crate::json_out::push_event;
use crate::{Fault, openai};

/// The fields of the error object.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct ErrorObject {
    #[serde(rename = "type")]
    kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) message: String,
    param: Option<String>,
}

/// The event `error`. The reference writes the fields flat; the service itself writes them as an object too, and it is
/// by that object that the official SDKs know an error and raise it.
#[derive(Serialize)]
struct ErrorEvent<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<u64>,
    code: Option<&'a str>,
    message: &'a str,
    param: Option<&'a str>,
    error: &'a ErrorObject,
}

/// The body of a non-stream answer.
pub(super) fn render(fault: &Fault) -> Bytes {
    openai::Caller.render_fault(fault)
}

/// The event `error`, with its number where the stream has been counted.
pub(super) fn render_stream(fault: &Fault, sequence_number: Option<u64>) -> Bytes {
    let error = object(fault);
    let event = ErrorEvent {
        r#type: "error",
        sequence_number,
        code: error.code.as_deref(),
        message: &error.message,
        param: error.param.as_deref(),
        error: &error,
    };
    let mut out = BytesMut::new();
    push_event(&mut out, "error", &event);
    out.freeze()
}

/// The fault in the vendor's words, never the vendor's own bytes.
pub(super) fn object(fault: &Fault) -> ErrorObject {
    #[derive(Deserialize)]
    struct Body {
        error: ErrorObject,
    }
    let own = Fault { verbatim: None, ..fault.clone() };
    serde_json::from_slice::<Body>(&openai::Caller.render_fault(&own))
        .map(|body| body.error)
        .unwrap_or_default()
}

/// `error` of a response that failed. The reference knows a code and a message; what else is known stands beside them.
pub(super) fn failure(fault: &Fault) -> ErrorObject {
    let error = object(fault);
    // The code is required here.
    let code = error.code.or_else(|| error.kind.clone()).or_else(|| Some("server_error".to_owned()));
    ErrorObject { code, ..error }
}

/// Reads a refusal, which has the form of chat completions.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault {
    openai::Vendor.read_fault(status, headers, body)
}

/// Reads what stands in an event `error`, in either form.
pub(super) fn of_event(data: &[u8]) -> Fault {
    of_body(data)
}

/// Reads `error` of a response that failed.
pub(super) fn of_failed(error: Option<&RawValue>) -> Fault {
    match error {
        Some(error) => of_body(format!(r#"{{"error":{}}}"#, error.get()).as_bytes()),
        None => Fault::new(FaultKind::VendorError, "The upstream failed without saying why."),
    }
}

/// An error inside an answer has no status of its own: its code says whose fault it is. The codes are those of
/// "ResponseError" in the API reference.
fn of_body(body: &[u8]) -> Fault {
    let body = Bytes::copy_from_slice(body);
    let mut fault = read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), &body);
    let code = fault.vendor_code.clone().unwrap_or_default();
    if fault.kind == FaultKind::VendorError && is_callers(&code) {
        fault.kind = FaultKind::BadRequest;
        fault.status = status_of(FaultKind::BadRequest);
        fault.side = Fault::bad_request("", None).side;
    }
    // The flat form's type says only that it is an error.
    fault.vendor_type = fault.vendor_type.filter(|word| word != "error");
    fault.verbatim = None;
    fault
}

fn is_callers(code: &str) -> bool {
    const WORDS: [&str; 3] = ["empty_image_file", "failed_to_download_image", "unsupported_image_media_type"];
    WORDS.contains(&code) || code.starts_with("invalid_") || code.starts_with("image_")
}

/// True for a value that names an error: an object or a text.
pub(super) fn is_error(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| matches!(serde_json::from_str(raw.get()), Ok(Value::Object(_) | Value::String(_))))
}

#[cfg(test)]
mod tests;
