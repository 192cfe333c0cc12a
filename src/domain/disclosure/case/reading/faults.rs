//! What can be wrong with a file of decision cases beyond its schema, and what its author should write instead.

use crate::domain::field_error::FieldError;

pub(super) fn unreadable(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "unreadable",
        "書式に合わない項目があります。",
        "A member does not follow the schema.",
    )
}

pub(super) fn agency_unknown(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "agency_unknown",
        "agencies に挙げた機関の name を書いてください。",
        "Write the name of an agency that is listed in agencies.",
    )
}

pub(super) fn agency_twice(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "agency_twice",
        "同じ名前の機関が二度あります。別の名前にしてください。",
        "Two agencies have this name; give each its own.",
    )
}

pub(super) fn case_twice(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "case_twice",
        "同じ id のケースが二度あります。別の id にしてください。",
        "Two cases have this id; give each its own.",
    )
}

pub(super) fn bad_municipality(pointer: String) -> FieldError {
    FieldError::new(
        pointer,
        "municipality",
        "全国地方公共団体コード（6桁）の検査数字が合いません。",
        "The check digit of this local government code is wrong.",
    )
}
