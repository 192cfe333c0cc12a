//! One receipt.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use uuid::Uuid;

use crate::{
    domain::{ids::DeliveryId, problem::Problem, receipt::ReceiptLevel},
    usecases::{Caller, read},
    web::{
        caller::{context, named_staff},
        problem::ok,
    },
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
    let context = context(&request);
    let caller = caller.asking_for(&context, named_staff(&request).as_deref()).await?;
    read::receipt(&context, &caller, &subject.to_string(), level).await.map(ok)
}
