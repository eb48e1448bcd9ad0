//! The management API over a real database, without a socket.

mod bodies;
mod nouns;
pub(crate) mod office;
mod once;
mod order;

use super::Code;

/// The documents list the codes; clients branch on them.
#[test]
fn every_code_is_documented_with_its_status() {
    let documents = include_str!("../../../../docs/api.md");
    for code in Code::ALL {
        let row = format!("| `{}` | {} | {} |", code.as_str(), code.status().as_u16(), code.line());
        assert!(documents.contains(&row), "docs/api.md lacks the line {row}");
    }
}
