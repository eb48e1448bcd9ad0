//! A document in Markdown with tables, as most readers of it understand them.

use std::fmt::Write as _;

use super::{Cell, Document, Part, Table};

pub(super) fn written(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n", plain(&document.title), plain(&document.subtitle));
    for part in &document.parts {
        out.push('\n');
        match part {
            Part::Heading(text) => {
                let _ = writeln!(out, "## {}", plain(text));
            }
            Part::Text(text) => {
                let _ = writeln!(out, "{}", plain(text));
            }
            Part::Figures(figures) => {
                for (name, cell) in figures {
                    let _ = writeln!(out, "- {}: **{}**", plain(name), plain(&cell.text));
                }
            }
            Part::Table(table) => write_table(&mut out, table),
        }
    }
    out
}

fn write_table(out: &mut String, table: &Table) {
    let names = table.columns.iter().map(|column| plain(&column.name));
    write_row(out, names);
    let rules = table.columns.iter().map(|column| if column.is_figure { "--:" } else { "---" }.to_owned());
    write_row(out, rules);
    for row in &table.rows {
        write_row(out, row.iter().map(|Cell { text, .. }| plain(text)));
    }
}

fn write_row(out: &mut String, cells: impl Iterator<Item = String>) {
    out.push('|');
    for cell in cells {
        let _ = write!(out, " {cell} |");
    }
    out.push('\n');
}

/// Text that stays text: no sign of it marks anything up, and a line stays one line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(sign);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            sign if sign.is_control() => out.push(' '),
            sign => out.push(sign),
        }
    }
    out
}
