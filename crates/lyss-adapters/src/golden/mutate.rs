//! Recordings made hostile: bits flipped, cut, spliced, with bombs of numbers and nesting. The same seed gives the same.

use serde_json::Value;

/// A small generator of its own, so that a run can be repeated anywhere.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0, below the bound; 0 where there is nothing below.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1e999",
    "-1e999",
    "18446744073709551616",
    "9223372036854775807",
    "4294967296",
    "1e-400",
    "0.1e1",
    "-0",
    "123456789012345678901234567890123456789012345678901234567890",
    "NaN",
];
const VALUES: [&str; 14] = [
    "null",
    "true",
    "false",
    "\"\"",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "{\"type\":1}",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"data:;base64,\"",
    "[null]",
    "\"lyss-seal.google..AA==\"",
];
const BYTES: [&str; 10] = ["\"", "\\", "{", "}", "[", "]", "\n\n", "\r", "\u{feff}", "data: {}\n\n"];

/// One hostile input, made of one recording or of two. Half of them are still JSON where the recording was, so that they
/// come past the first reader.
pub(crate) fn mutate(one: &[u8], other: &[u8], draw: &mut Draw) -> Vec<u8> {
    if draw.below(2) == 0
        && let Some(distorted) = distort(one, other, draw)
    {
        return distorted;
    }
    let mut bytes = one.to_vec();
    for _ in 0..=draw.below(4) {
        step(&mut bytes, other, draw);
    }
    bytes
}

/// Some values inside the JSON replaced, taken out or doubled; of a stream, inside one of its lines.
fn distort(one: &[u8], other: &[u8], draw: &mut Draw) -> Option<Vec<u8>> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(one) {
        let donor = serde_json::from_slice(other).unwrap_or(Value::Null);
        for _ in 0..=draw.below(3) {
            tamper(&mut value, &donor, draw);
        }
        return serde_json::to_vec(&value).ok();
    }
    let mut lines: Vec<Vec<u8>> = one.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let data: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with(b"data: {")).collect();
    let donors: Vec<&[u8]> =
        other.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"data: {")).collect();
    if data.is_empty() || donors.is_empty() {
        return None;
    }
    for _ in 0..=draw.below(3) {
        let at = data[draw.below(data.len())];
        let mut value = serde_json::from_slice::<Value>(&lines[at][6..]).ok()?;
        let donor = serde_json::from_slice(&draw.pick(&donors)[6..]).unwrap_or(Value::Null);
        tamper(&mut value, &donor, draw);
        lines[at] = [b"data: ".as_slice(), &serde_json::to_vec(&value).ok()?].concat();
    }
    Some(lines.join(&b'\n'))
}

/// One value somewhere inside, changed.
fn tamper(value: &mut Value, donor: &Value, draw: &mut Draw) {
    let by = match draw.below(3) {
        0 => inside(donor, draw).clone(),
        1 => serde_json::from_str(draw.pick(&VALUES)).unwrap_or(Value::Null),
        _ => serde_json::from_str(draw.pick(&NUMBERS)).unwrap_or(Value::Null),
    };
    let deep = draw.below(12);
    tamper_at(value, deep, by, draw);
}

fn tamper_at(value: &mut Value, deep: usize, by: Value, draw: &mut Draw) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = draw.below(items.len());
            match (deep, draw.below(4)) {
                (0, 0) => drop(items.remove(at)),
                (0, 1) => items.insert(at, items[at].clone()),
                (0, 2) => items.insert(at, by),
                _ => tamper_at(&mut items[at], deep.saturating_sub(1), by, draw),
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let at = draw.below(fields.len());
            let Some(name) = fields.keys().nth(at).cloned() else { return };
            match (deep, draw.below(3)) {
                (0, 0) => drop(fields.remove(&name)),
                (0, 1) => drop(fields.insert(name, by)),
                _ => {
                    if let Some(inner) = fields.get_mut(&name) {
                        tamper_at(inner, deep.saturating_sub(1), by, draw);
                    }
                }
            }
        }
        leaf => *leaf = by,
    }
}

/// Some value inside a JSON value.
fn inside<'a>(value: &'a Value, draw: &mut Draw) -> &'a Value {
    let mut at = value;
    for _ in 0..draw.below(8) {
        let next = match at {
            Value::Array(items) => items.get(draw.below(items.len())),
            Value::Object(fields) => fields.values().nth(draw.below(fields.len())),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

fn step(bytes: &mut Vec<u8>, other: &[u8], draw: &mut Draw) {
    let at = draw.below(bytes.len() + 1);
    match draw.below(12) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << draw.below(8);
            }
        }
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(..at)),
        3 => {
            let to = (at + draw.below(64)).min(bytes.len());
            drop(bytes.drain(at..to));
        }
        4 => {
            let from = draw.below(other.len() + 1);
            let to = (from + draw.below(256)).min(other.len());
            drop(bytes.splice(at..at, other[from..to].iter().copied()));
        }
        5 => {
            let to = (at + draw.below(256)).min(bytes.len());
            let again = bytes[at..to].to_vec();
            drop(bytes.splice(at..at, again));
        }
        6 => insert(bytes, at, draw.pick(&BYTES).as_bytes()),
        7 => replace(bytes, at, is_digit, draw.pick(&NUMBERS)),
        8 => value(bytes, at, draw.pick(&VALUES)),
        9 => nest(bytes, at, draw),
        10 => {
            let digits = "9".repeat(1 + draw.below(400));
            replace(bytes, at, is_digit, &digits);
        }
        // The line of another recording: an event out of its place.
        _ => {
            let lines: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
            let line = [draw.pick(&lines), b"\n\n"].concat();
            let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            insert(bytes, start, &line);
        }
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    drop(bytes.splice(at..at, what.iter().copied()));
}

/// The next run of such bytes is replaced.
fn replace(bytes: &mut Vec<u8>, at: usize, is: fn(u8) -> bool, by: &str) {
    let Some(from) = bytes[at..].iter().position(|byte| is(*byte)).map(|found| at + found) else { return };
    let to = bytes[from..].iter().position(|byte| !is(*byte)).map_or(bytes.len(), |found| from + found);
    drop(bytes.splice(from..to, by.bytes()));
}

/// What stands behind the next colon, up to the next comma or bracket, is replaced.
fn value(bytes: &mut Vec<u8>, at: usize, by: &str) {
    let Some(from) = bytes[at..].iter().position(|byte| *byte == b':').map(|found| at + found + 1) else {
        return;
    };
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'\n');
    let to = bytes[from..].iter().position(ends).map_or(bytes.len(), |found| from + found);
    drop(bytes.splice(from..to, by.bytes()));
}

fn nest(bytes: &mut Vec<u8>, at: usize, draw: &mut Draw) {
    let depth = 1 + draw.below(4_000);
    let (open, close) = if draw.below(2) == 0 { ("[", "]") } else { ("{\"type\":", "}") };
    value(bytes, at, &format!("{}0{}", open.repeat(depth), close.repeat(depth)));
}
