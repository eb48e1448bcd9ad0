//! What all lists do alike: order by a field and then by id, search in text, look into a column of JSON.
//!
//! Both databases compare text bytewise and know upper and lower case in ASCII alone: PostgreSQL because the columns
//! that are searched or sorted by have the collation "C", SQLite by nature.

use sea_orm::sea_query::{Expr, ExprTrait, Func, NullOrdering};
use sea_orm::{ColumnTrait, Condition, DbBackend, EntityTrait, Order, QueryOrder, Select};

pub(crate) const fn direction(descending: bool) -> Order {
    if descending { Order::Desc } else { Order::Asc }
}

/// By a field that may be absent, then by something unique.
pub(crate) fn ordered<E, C>(select: Select<E>, by: C, unique: C, descending: bool) -> Select<E>
where
    E: EntityTrait,
    C: ColumnTrait,
{
    let order = || direction(descending);
    select.order_by_with_nulls(by, order(), NullOrdering::Last).order_by(unique, order())
}

/// Whether a column is exactly this text.
pub(crate) fn is<C: ColumnTrait>(column: C, text: &str) -> Expr {
    if storable(text) { column.eq(text) } else { never() }
}

/// Whether any of these columns contains the text. No sign in it stands for others, so that there is nothing to escape.
pub(crate) fn search<C: ColumnTrait>(backend: DbBackend, columns: &[C], text: &str) -> Condition {
    if !storable(text) {
        return Condition::all().add(never());
    }
    let position = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    let part = text.to_ascii_lowercase();
    let found = |column: &C| {
        let field = Func::lower(Expr::col(*column));
        Expr::from(Func::cust(position).arg(field).arg(part.as_str())).gt(0)
    };
    columns.iter().map(found).fold(Condition::any(), Condition::add)
}

/// Whether a JSON array of texts has this very element. `column` is written with its table.
pub(crate) fn has_element(backend: DbBackend, column: &str, element: &str) -> Expr {
    if !storable(element) {
        return never();
    }
    let exists = match backend {
        DbBackend::Postgres => {
            format!(
                "EXISTS (SELECT 1 FROM jsonb_array_elements_text({column}) AS e(value) WHERE e.value = $1)"
            )
        }
        _ => format!("EXISTS (SELECT 1 FROM json_each({column}) AS e WHERE e.value = ?)"),
    };
    Expr::cust_with_values(exists, [element])
}

/// PostgreSQL refuses even to compare with a text that it could not store.
fn storable(text: &str) -> bool {
    !text.contains('\0')
}

fn never() -> Expr {
    Expr::cust("1 = 0")
}
