//! Errors of hyper and of the socket, sorted into the closed list.

use std::error::Error;
use std::io;

use lyss_wire::TransportClass;

/// Why there was no head.
pub(crate) fn of_send(error: &hyper::Error) -> TransportClass {
    if error.is_parse() || error.is_user() { TransportClass::Protocol } else { TransportClass::Reset }
}

/// Why the body stopped.
pub(crate) fn of_body(error: &hyper::Error) -> TransportClass {
    // A chunk whose framing makes no sense is reported with one of these two kinds; a lost connection never is.
    let framing = |kind| matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
    match cause::<io::Error>(error) {
        Some(error) if framing(error.kind()) => TransportClass::Protocol,
        _ if error.is_parse() => TransportClass::Protocol,
        _ => TransportClass::Cut,
    }
}

/// The first error of type `E` among the causes.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
