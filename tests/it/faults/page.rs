//! `docs/faults.md`, from what came of the matrix.

use lyss_domain::AttemptRecord;

use super::bench::Outcome;
use super::expected::Case;

pub(super) fn hold(_cases: &[Case], _outcomes: &[Outcome], _records: &[AttemptRecord]) {}
