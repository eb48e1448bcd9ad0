//! The table of faults, with what is expected of each.

use lyss_domain::{FaultKind, Terminal};
use lyss_sandbox::Vendor;

use super::expected::Seen::{Answer, Broken, Refused};
use super::expected::State::{ChannelOut, Cooling, Counted, ModelOut, Untouched};
use super::expected::{BEGINNING, COUNTED_BEGINNING, Case, Ended, Expected, Seen, State, Timers};
use super::peers::Place;

const OPENAI: Place = Place::Simulated(Vendor::OpenAi);
/// The failure is the channel's, whatever is asked of it.
const NETWORK: [State; 2] = [Counted, ChannelOut(1)];
const VENDOR: [State; 2] = [Counted, ModelOut(1)];

pub(super) fn cases() -> Vec<Case> {
    let kinds = [connections(), silences(), refusals(), rate_limits(), failures(), answers(), converted()];
    kinds.into_iter().flatten().collect()
}

fn connections() -> Vec<Case> {
    use FaultKind::{Network, Tls, UpstreamCut};
    let network = failing(Network, Refused(502, "network", None), NETWORK);
    let tls = failing(Tls, Refused(502, "tls", None), NETWORK);
    let cut = failing(UpstreamCut, Refused(502, "upstream_cut", None), VENDOR);
    let torn = begun(Terminal::UpstreamCut, UpstreamCut, "upstream_cut");
    vec![
        both("connection refused", "", network).at(Place::Nowhere),
        both("reset before the head", "reset=head+rst", network),
        both("closed before the head", "reset=head", network),
        both("reset after the head", "reset=body+rst", cut),
        both("closed after the head", "reset=body", cut),
        each("reset in the middle", ["cut_bytes=40+rst", "cut_events=3+rst"], cut, torn),
        each("closed in the middle", ["cut_bytes=40", "cut_events=3"], cut, torn),
        both("TLS: plain text answers", "", tls).at(Place::PlainText),
        both("TLS: self-signed certificate", "", tls).at(Place::SelfSigned),
    ]
}

fn silences() -> Vec<Case> {
    use FaultKind::{FirstByteTimeout, IdleTimeout};
    let late = Expected {
        ended: Ended::unpaid(Terminal::TimedOut, FirstByteTimeout),
        ..failing(FirstByteTimeout, Refused(504, "first_byte_timeout", None), VENDOR)
    };
    let stuck = Expected {
        ended: Ended::unpaid(Terminal::TimedOut, IdleTimeout),
        ..failing(IdleTimeout, Refused(504, "idle_timeout", None), VENDOR)
    };
    vec![
        both("no first byte in time", "first_ms=60000", late).with(Timers::ShortStart),
        each(
            "silence in the middle",
            ["split=40+stall_events=2", "stall_events=3"],
            stuck,
            begun(Terminal::TimedOut, IdleTimeout, "idle_timeout"),
        )
        .with(Timers::ShortIdle),
    ]
}

fn refusals() -> Vec<Case> {
    use FaultKind::{BadRequest, CredentialRefused, ModelNotFound, VendorError, VendorQuota};
    let callers = |status| {
        let seen = Refused(status, "invalid_request_error", None);
        Expected { helped: seen, ..failing(BadRequest, seen, [Untouched; 2]) }
    };
    // Alone it is asked all the same: least bad of those that are left.
    let benched = |kind: FaultKind| Expected {
        asked: [1, 3],
        ..failing(kind, Refused(502, kind.as_str(), None), [ChannelOut(30); 2])
    };
    let no_model = Expected {
        asked: [1, 3],
        ..failing(ModelNotFound, Refused(404, "invalid_request_error", None), [ModelOut(30); 2])
    };
    vec![
        both("400", "status=400", callers(400)),
        both("401", "status=401", benched(CredentialRefused)),
        both("402", "status=402", benched(VendorQuota)),
        both("403", "status=403", benched(CredentialRefused)),
        both("404", "status=404", no_model),
        both("408", "status=408", failing(VendorError, Refused(502, "request_timeout", None), VENDOR)),
        both("409", "status=409", callers(409)),
        both("413", "status=413", callers(413)),
    ]
}

fn rate_limits() -> Vec<Case> {
    // While it cools, not even a channel that is alone is asked.
    let waits = |told: Option<u64>, cools: u64| Expected {
        asked: [1, 1],
        alone: [told, Some(cools)].map(|wait| Refused(429, "rate_limit_exceeded", wait)),
        ..failing(FaultKind::VendorRateLimited, Answer, [Cooling(cools); 2])
    };
    let seven = waits(Some(7), 7);
    let spent = Expected {
        asked: [1, 3],
        ..failing(FaultKind::VendorQuota, Refused(502, "vendor_quota", None), [ChannelOut(30); 2])
    };
    vec![
        both("429, `Retry-After` in seconds", "status=429+retry_after=7", seven),
        both("429, `Retry-After` as a date", "status=429+retry_after=7+wait=date", seven),
        both("429, `retry-after-ms`", "status=429+retry_after=7+wait=ms", seven),
        both("429, `x-ratelimit-reset-requests`", "status=429+retry_after=7+wait=reset", seven),
        both("429, `anthropic-ratelimit-requests-reset`", "status=429+retry_after=7+wait=reset", seven)
            .at(Place::Simulated(Vendor::Anthropic)),
        both("429, \"try again in 20s\"", "status=429+retry_after=20+wait=body", waits(Some(20), 20)),
        both("429, Google's `retryDelay`", "status=429+retry_after=7", seven)
            .at(Place::Simulated(Vendor::Google)),
        both("429, a wait of an hour", "status=429+retry_after=3600", waits(Some(3600), 300)),
        both("429, no wait said", "status=429", waits(None, 2)),
        both("429, account used up", "quota", spent),
    ]
}

fn failures() -> Vec<Case> {
    use FaultKind::{Overloaded, VendorError};
    let failed = |status| failing(VendorError, Refused(status, "vendor_error", None), VENDOR);
    let overloaded = |status| failing(Overloaded, Refused(status, "overloaded", None), VENDOR);
    // Who says how long it needs is left alone for so long, whatever the status.
    let busy = Expected {
        asked: [1, 1],
        alone: [Refused(503, "overloaded", Some(7)); 2],
        ..failing(Overloaded, Answer, [Cooling(7); 2])
    };
    vec![
        both("500", "status=500", failed(500)),
        both("502", "status=502", failed(502)),
        both("503", "status=503", overloaded(503)),
        both("503, `Retry-After`", "status=503+retry_after=7", busy),
        both("529", "status=529", overloaded(529)),
    ]
}

fn answers() -> Vec<Case> {
    use FaultKind::{Protocol, UpstreamCut, VendorError};
    let unreadable = failing(Protocol, Refused(502, "protocol", None), VENDOR);
    let endless = failing(UpstreamCut, Refused(502, "upstream_cut", None), VENDOR);
    let failed = failing(VendorError, Refused(502, "vendor_error", None), VENDOR);
    vec![
        each("200 and a page of HTML", ["garbage"; 2], unreadable, endless),
        each("200 and nothing", ["empty"; 2], unreadable, endless),
        both("200 and an error first", "error_event=0", failed),
        Case {
            whole: None,
            ..both(
                "200, content, then an error",
                "error_event=3",
                begun(Terminal::UpstreamCut, VendorError, "server_error"),
            )
        },
    ]
}

/// The same where the vendor speaks another dialect than the caller, so that every byte is read and written anew.
fn converted() -> Vec<Case> {
    use FaultKind::{Overloaded, Protocol, UpstreamCut};
    let unreadable = failing(Protocol, Refused(502, "protocol", None), VENDOR);
    let endless = failing(UpstreamCut, Refused(502, "upstream_cut", None), VENDOR);
    let error_first = failing(FaultKind::VendorError, Refused(502, "vendor_error", None), VENDOR);
    let overloaded = failing(Overloaded, Refused(503, "overloaded", None), VENDOR);
    // Its stream begins with the vendor's own count of the prompt.
    let counted = |fault, code| {
        let (tokens, cost_micros) = COUNTED_BEGINNING;
        let ended = Ended { terminal: Terminal::UpstreamCut, fault: Some(fault), tokens, cost_micros };
        Expected { ended, ..begun(Terminal::UpstreamCut, fault, code) }
    };
    let torn = counted(UpstreamCut, "upstream_cut");
    let cases = vec![
        each("converted: closed in the middle", ["cut_bytes=40", "cut_events=5"], endless, torn),
        each("converted: 200 and a page of HTML", ["garbage"; 2], unreadable, endless),
        each("converted: 200 and an error first", ["error_event=0"; 2], error_first, overloaded),
        Case {
            whole: None,
            ..both(
                "converted: 200, content, then an error",
                "error_event=5",
                counted(Overloaded, "overloaded"),
            )
        },
    ];
    cases.into_iter().map(|case| case.at(Place::Simulated(Vendor::Anthropic))).collect()
}

/// A fault before the answer began: another channel answers, and nothing is charged.
fn failing(kind: FaultKind, alone: Seen, becomes: [State; 2]) -> Expected {
    let ended = Ended::unpaid(Terminal::Refused, kind);
    Expected { helped: Answer, alone: [alone; 2], ended, becomes, asked: [3, 3] }
}

/// A fault within an answer that had begun: nobody can take over, and what came is charged.
fn begun(terminal: Terminal, kind: FaultKind, code: &'static str) -> Expected {
    let (tokens, cost_micros) = BEGINNING;
    Expected {
        helped: Broken(code),
        alone: [Broken(code); 2],
        ended: Ended { terminal, fault: Some(kind), tokens, cost_micros },
        becomes: VENDOR,
        asked: [3, 3],
    }
}

fn both(name: &'static str, knobs: &'static str, expected: Expected) -> Case {
    each(name, [knobs; 2], expected, expected)
}

fn each(name: &'static str, knobs: [&'static str; 2], whole: Expected, stream: Expected) -> Case {
    Case { name, place: OPENAI, knobs, timers: Timers::Usual, whole: Some(whole), stream: Some(stream) }
}

impl Case {
    fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    fn with(self, timers: Timers) -> Self {
        Self { timers, ..self }
    }
}
