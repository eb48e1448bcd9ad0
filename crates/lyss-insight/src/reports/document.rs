//! A report as people read it, before it has a form: headings, sentences and tables. Every text in it may be somebody
//! else's words; the two forms make them harmless.

mod html;
mod markdown;
mod plain;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub title: String,
    /// Below the title: whose, over which time.
    pub subtitle: String,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Heading(String),
    Text(String),
    /// A few figures that matter most, each with its name.
    Figures(Vec<(String, Cell)>),
    Table(Table),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Figures stand to the right.
    pub is_figure: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub text: String,
    /// 0 to 1: drawn as a bar behind the text, where there is something to draw on.
    pub bar: Option<f64>,
    pub tone: Tone,
}

/// What a reader should feel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Warning,
    Bad,
}

impl Document {
    pub(crate) fn new(title: &str, subtitle: String) -> Self {
        Self { title: title.to_owned(), subtitle, parts: Vec::new() }
    }

    pub(crate) fn heading(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Heading(text.into()));
    }

    pub(crate) fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    pub(crate) fn table(&mut self, table: Table) {
        self.parts.push(Part::Table(table));
    }

    /// A page that needs nothing else: no script, no other file, no other server.
    pub fn html(&self) -> String {
        html::written(self)
    }

    pub fn markdown(&self) -> String {
        markdown::written(self)
    }

    /// For a terminal.
    pub fn plain(&self) -> String {
        plain::written(self)
    }
}

impl Table {
    /// A `#` before a name marks a column of figures.
    pub(crate) fn of(columns: &[&str]) -> Self {
        let column = |name: &&str| match name.strip_prefix('#') {
            Some(name) => Column { name: name.to_owned(), is_figure: true },
            None => Column { name: (*name).to_owned(), is_figure: false },
        };
        Self { columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }
}

impl Cell {
    pub(crate) fn bar(self, share: f64) -> Self {
        Self { bar: Some(share.clamp(0.0, 1.0)), ..self }
    }

    pub(crate) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
