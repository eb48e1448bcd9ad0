//! A function call told in pieces, as Vertex sends it where `streamFunctionCallArguments` was asked for ("FunctionCall",
//! `willContinue`, and "PartialArg"): each piece names a place in the arguments and what stands there, strings bit by bit.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

/// No real arguments are nested deeper; readers of JSON commonly stop at 128.
const MAX_DEPTH: usize = 64;

/// One of `partialArgs`. A null says itself by the presence of its key, whatever it holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartialArg<'a> {
    #[serde(borrow)]
    json_path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    string_value: Option<Cow<'a, str>>,
    number_value: Option<serde_json::Number>,
    bool_value: Option<bool>,
}

/// The call that is being told.
pub(super) struct OpenCall {
    pub(super) call: u32,
    arguments: Value,
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl OpenCall {
    pub(super) fn new(call: u32) -> Self {
        Self { call, arguments: Value::Object(Map::new()) }
    }

    /// Puts a piece in its place. A path that cannot be read, or that skips over elements of a list, is passed over.
    pub(super) fn add(&mut self, piece: PartialArg<'_>) {
        let Some(steps) = piece.json_path.as_deref().and_then(steps) else { return };
        let Some(place) = steps.iter().try_fold(&mut self.arguments, enter) else { return };
        match (piece.string_value, piece.number_value, piece.bool_value) {
            (Some(text), ..) => match place {
                Value::String(told) => told.push_str(&text),
                _ => *place = Value::String(text.into_owned()),
            },
            (_, Some(number), _) => *place = Value::Number(number),
            (_, _, Some(is)) => *place = Value::Bool(is),
            _ => *place = Value::Null,
        }
    }

    /// The arguments as JSON text.
    pub(super) fn close(self) -> String {
        self.arguments.to_string()
    }
}

/// The value at a step, made where it is not there yet.
fn enter<'v>(value: &'v mut Value, step: &Step<'_>) -> Option<&'v mut Value> {
    match step {
        Step::Key(key) => {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            Some(value.as_object_mut()?.entry(*key).or_insert(Value::Null))
        }
        Step::Index(index) => {
            if value.is_null() {
                *value = Value::Array(Vec::new());
            }
            let list = value.as_array_mut()?;
            if *index == list.len() {
                list.push(Value::Null);
            }
            list.get_mut(*index)
        }
    }
}

/// The steps of a path such as `$.rooms[0].name` or `$['first name']`.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() >= MAX_DEPTH {
            return None;
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (step, behind) = match quote {
                Some(quote) => {
                    let (key, behind) = inside.get(1..)?.split_once(quote)?;
                    (Step::Key(key), behind.strip_prefix(']')?)
                }
                None => {
                    let (index, behind) = inside.split_once(']')?;
                    (Step::Index(index.parse().ok()?), behind)
                }
            };
            steps.push(step);
            rest = behind;
        } else {
            let named = rest.strip_prefix('.').unwrap_or(rest);
            let (key, behind) = named.split_at(named.find(['.', '[']).unwrap_or(named.len()));
            if key.is_empty() {
                return None;
            }
            steps.push(Step::Key(key));
            rest = behind;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(pieces: &[&str]) -> String {
        let mut call = OpenCall::new(0);
        for piece in pieces {
            call.add(serde_json::from_str(piece).unwrap());
        }
        call.close()
    }

    #[test]
    fn pieces_come_together() {
        let told = arguments(&[
            r#"{"jsonPath":"$.rooms[0].name","stringValue":"at","willContinue":true}"#,
            r#"{"jsonPath":"$.rooms[0].name","stringValue":"tic"}"#,
            r#"{"jsonPath":"$.rooms[0].size","numberValue":12.5}"#,
            r#"{"jsonPath":"$.rooms[1]['is open']","boolValue":false}"#,
            r#"{"jsonPath":"$.owner","nullValue":null}"#,
        ]);
        let expected = serde_json::json!({
            "rooms": [{"name": "attic", "size": 12.5}, {"is open": false}],
            "owner": null,
        });
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), expected);
    }

    #[test]
    fn odd_paths_are_passed_over() {
        let deep = format!(r#"{{"jsonPath":"${}","boolValue":true}}"#, ".a".repeat(10_000));
        let told = arguments(&[
            r#"{"jsonPath":"$.list[4000000000]","boolValue":true}"#,
            r#"{"jsonPath":"$..x","boolValue":true}"#,
            r#"{"jsonPath":"$[x","boolValue":true}"#,
            r#"{"boolValue":true}"#,
            &deep,
            r#"{"jsonPath":"$.kept","boolValue":true}"#,
        ]);
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["kept"], true);
        assert!(told.len() < 100, "{told}");
    }
}
