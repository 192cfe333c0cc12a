//! What holds for every row of the table.

use super::*;

#[test]
fn every_post_of_an_agency_carries_an_idempotency_key() {
    for row in TABLE.iter().filter(|row| row.method == "POST" && row.access == Access::Agency) {
        assert_ne!(row.guarded, Guarded::No, "{}", row.path);
        assert!(row.body.is_some(), "{}", row.path);
    }
}
