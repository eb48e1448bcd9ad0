use super::*;

const HOSTILE: &str = "<script>alert('1')</script>|`x`*y*\n# z & \"q\" [a](javascript:b) ![i](j)";

fn document() -> Document {
    let mut document = Document::new(HOSTILE, HOSTILE.to_owned());
    document.heading(HOSTILE);
    document.text(HOSTILE);
    document.parts.push(Part::Figures(vec![(HOSTILE.to_owned(), HOSTILE.into())]));
    let mut table = Table::of(&["name", "#share"]);
    table.rows.push(vec![Cell::from(HOSTILE).tone(Tone::Bad), Cell::from("40 %").bar(0.4)]);
    document.table(table);
    document
}

#[test]
fn a_page_shows_somebodys_words_and_runs_none_of_them() {
    let page = document().html();
    assert!(!page.contains("<script") && !page.contains("alert('1')"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)"));
    // Nothing is fetched.
    for reach in ["src=", "href=", "url(", "@import", "http:", "https:"] {
        assert!(!page.contains(reach), "{reach}");
    }
    assert!(page.contains("<td class=\"bad\">"));
    assert!(page.contains("<td class=\"plain figure bar\" style=\"--share:40.0%\">40 %</td>"));
    assert_eq!(page.matches("<tr>").count(), page.matches("</tr>").count());
}

#[test]
fn a_terminal_obeys_nothing_and_sees_columns() {
    let mut document = document();
    let mut table = Table::of(&["name", "#share"]);
    table.rows.push(vec!["\u{1b}[2Ja longer name".into(), "4 %".into()]);
    table.rows.push(vec!["b".into(), "100 %".into()]);
    document.parts = vec![Part::Table(table)];
    let text = document.plain();
    assert!(text.chars().all(|sign| sign == '\n' || !sign.is_control()), "{text:?}");
    let rows: Vec<_> = text.lines().rev().take(3).map(|line| line.chars().count()).collect();
    assert!(rows.iter().all(|length| *length == rows[0]), "{text}");
}

#[test]
fn markdown_keeps_a_row_a_row_and_a_word_a_word() {
    let text = document().markdown();
    assert!(!text.contains("<script>") && !text.replace("\\]", "").contains("]("), "{text}");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 3, "{text}");
    for row in &rows {
        // Bars that are not somebody's words part the cells.
        assert_eq!(row.replace("\\|", "").matches('|').count(), 3, "{row}");
    }
    assert_eq!(rows[1], "| --- | --: |");
    assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 2, "{text}");
}
