//! Files of decision cases: bytes in, cases out, or what is wrong with them and where.

use super::{
    consent::field_problem,
    json_door::{self, Limits},
    schema::Schema,
};
use crate::domain::{disclosure::case::CaseFile, problem::Problem};

/// A file of a thousand cases is far below.
const LIMITS: Limits = Limits { bytes: 8 * 1024 * 1024, depth: 32, values: 400_000 };

/// Reads a file of decision cases.
///
/// # Errors
/// It is no JSON, does not follow `schemas/decision-case.json`, or contradicts itself.
pub fn read(bytes: &[u8]) -> Result<CaseFile, Problem> {
    let value = json_door::read(bytes, LIMITS)?;
    Schema::DecisionCase.check(&value).map_err(Problem::schema_violation)?;
    CaseFile::parse(&value).map_err(field_problem)
}
