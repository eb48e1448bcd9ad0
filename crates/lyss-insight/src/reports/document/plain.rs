//! A document for a terminal: columns stand below each other.

use std::fmt::Write as _;

use super::{Document, Part, Table};

pub(super) fn written(document: &Document) -> String {
    let mut out = format!("{}\n{}\n", plain(&document.title), plain(&document.subtitle));
    for part in &document.parts {
        out.push('\n');
        match part {
            Part::Heading(text) => {
                let text = plain(text);
                let _ = writeln!(out, "{text}\n{}", "-".repeat(text.chars().count()));
            }
            Part::Text(text) => {
                let _ = writeln!(out, "{}", plain(text));
            }
            Part::Figures(figures) => {
                let widest = figures.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
                for (name, cell) in figures {
                    let _ = writeln!(out, "{:widest$}  {}", plain(name), plain(&cell.text));
                }
            }
            Part::Table(table) => write_table(&mut out, table),
        }
    }
    out
}

fn write_table(out: &mut String, table: &Table) {
    let names: Vec<String> = table.columns.iter().map(|column| plain(&column.name)).collect();
    let rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(|cell| plain(&cell.text)).collect()).collect();
    let lines = || std::iter::once(&names).chain(&rows);
    let widths: Vec<usize> = (0..names.len())
        .map(|place| lines().filter_map(|line| line.get(place)).map(|text| text.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    for line in lines() {
        let mut written = String::new();
        for ((text, width), column) in line.iter().zip(&widths).zip(&table.columns) {
            let _ = match column.is_figure {
                true => write!(written, "{text:>width$}  "),
                false => write!(written, "{text:<width$}  "),
            };
        }
        let _ = writeln!(out, "{}", written.trim_end());
    }
}

/// Nothing that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}
