//! A document as one page: its look is in the page itself, and nothing in it runs.

use std::fmt::Write as _;

use super::{Cell, Document, Part, Table, Tone};

const STYLE: &str = include_str!("page.css");

pub(super) fn written(document: &Document) -> String {
    let (title, subtitle) = (escaped(&document.title), escaped(&document.subtitle));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<header><h1>{title}</h1><p>{subtitle}</p></header>\n"
    );
    for part in &document.parts {
        match part {
            Part::Heading(text) => {
                let _ = writeln!(out, "<h2>{}</h2>", escaped(text));
            }
            Part::Text(text) => {
                let _ = writeln!(out, "<p>{}</p>", escaped(text));
            }
            Part::Figures(figures) => write_figures(&mut out, figures),
            Part::Table(table) => write_table(&mut out, table),
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn write_figures(out: &mut String, figures: &[(String, Cell)]) {
    out.push_str("<dl>\n");
    for (name, cell) in figures {
        let (name, text, tone) = (escaped(name), escaped(&cell.text), tone(cell.tone));
        let _ = writeln!(out, "<div class=\"{tone}\"><dt>{name}</dt><dd>{text}</dd></div>");
    }
    out.push_str("</dl>\n");
}

fn write_table(out: &mut String, table: &Table) {
    out.push_str("<div class=\"wide\"><table>\n<thead><tr>");
    for column in &table.columns {
        let class = if column.is_figure { " class=\"figure\"" } else { "" };
        let _ = write!(out, "<th{class}>{}</th>", escaped(&column.name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (column, cell) in table.columns.iter().zip(row) {
            let figure = if column.is_figure { " figure" } else { "" };
            let bar = cell.bar.map(|share| format!(" style=\"--share:{:.1}%\"", share * 100.0));
            let (barred, bar) =
                if bar.is_some() { (" bar", bar.unwrap_or_default()) } else { ("", String::new()) };
            let _ = write!(
                out,
                "<td class=\"{}{figure}{barred}\"{bar}>{}</td>",
                tone(cell.tone),
                escaped(&cell.text)
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

/// Text that stays text, within an element and within an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            sign if sign.is_control() => out.push(' '),
            sign => out.push(sign),
        }
    }
    out
}
