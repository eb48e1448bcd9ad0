//! The same stream in every way that server-sent events may be written.

use super::fixtures::{FOLDERS, cases, decode};

/// A data line broken between two tokens of its JSON: the reader joins the lines with a line end, which is a blank there.
fn in_lines(line: &str) -> String {
    let Some(data) = line.strip_prefix("data:") else { return line.to_owned() };
    let mut out = String::from("data:");
    let (mut in_string, mut escaped) = (false, false);
    for letter in data.chars() {
        out.push(letter);
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ',' if !in_string => out.push_str("\ndata: "),
            _ => {}
        }
    }
    out
}

fn each_line(stream: &str, change: impl Fn(&str) -> String) -> String {
    stream.lines().map(|line| change(line) + "\n").collect()
}

#[test]
fn every_framing_yields_the_same_events() {
    let mut seen = 0;
    for (_, dialect) in FOLDERS.into_iter().filter(|(_, dialect)| dialect.vendor().is_some()) {
        for case in cases().into_iter().filter(|case| case.dialect == dialect) {
            let Some(stream) = case.stream().and_then(|stream| String::from_utf8(stream).ok()) else {
                continue;
            };
            let stream = each_line(&stream, str::to_owned);
            let written = [
                ("\\r\\n", stream.replace('\n', "\r\n")),
                ("\\r", stream.replace('\n', "\r")),
                ("a byte order mark", format!("\u{feff}{stream}")),
                (
                    "comments",
                    each_line(&stream, |line| {
                        if line.is_empty() { "\n: alive".to_owned() } else { line.to_owned() }
                    }),
                ),
                ("comments inside", each_line(&stream, |line| format!(": é\n{line}"))),
                ("several data lines", each_line(&stream, in_lines)),
                ("no blank behind the colon", each_line(&stream, |line| line.replacen("data: ", "data:", 1))),
                (
                    "ids and retries",
                    each_line(&stream, |line| {
                        if line.starts_with("data") {
                            format!("id: 7\nretry: 10\n{line}")
                        } else {
                            line.to_owned()
                        }
                    }),
                ),
                ("no last blank line", stream.trim_end().to_owned()),
            ];
            let whole = format!("{:?}", decode(dialect, [stream.as_bytes()]));
            for (how, stream) in written {
                assert_eq!(
                    format!("{:?}", decode(dialect, [stream.as_bytes()])),
                    whole,
                    "{} with {how}",
                    case.path.display()
                );
                assert_eq!(
                    format!("{:?}", decode(dialect, stream.as_bytes().chunks(1))),
                    whole,
                    "{} with {how}",
                    case.path.display()
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 15, "only {seen} streams found");
}
