//! One receipt.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use uuid::Uuid;

use crate::{
    domain::{ids::DeliveryId, problem::Problem, receipt::ReceiptLevel},
    usecases::{Caller, read},
    web::{caller::context, problem::ok},
};

/// GET /v1/receipts/{subject}/{level}: of a delivery R0 to R3, of a leg R4 and closed
pub async fn read(
    request: HttpRequest,
    caller: Caller,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    // A delivery's id and a leg's have one form; which of the two it is, the level says.
    let subject: Uuid = path.0.parse::<DeliveryId>()?.uuid();
    let level: ReceiptLevel = path.1.parse()?;
    read::receipt(&context(&request), &caller, &subject.to_string(), level).await.map(ok)
}
