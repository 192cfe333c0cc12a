//! Whom the writer of a 通告 lets see it, besides the writer: colleagues, one by one, and nobody by default.

use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    idempotency::{Pointer, Prepared, once},
    not_found,
};
use crate::{
    domain::{
        fault::Text,
        ids::ReferralId,
        problem::{Problem, ProblemKind},
        referral::ReferralType,
    },
    ledger::{Write, audit::AuditAction, notice::NoticeReaderRow},
};

/// Names colleagues of the writer who may see a notice from now on.
///
/// # Errors
/// Not found for everybody who does not see the notice. Forbidden for those who see it and did not write it, and for
/// what is no notice: that is for the whole agency to see. Staff who are not the caller's own.
pub async fn name_readers(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || prepare(context, caller, id, command).await).await
}

async fn prepare(
    context: &Context,
    caller: &Caller,
    id: ReferralId,
    command: &Command,
) -> Result<Prepared, Problem> {
    let document = &command.document;
    let scope = caller.scope_of(context, &document["by"]).await?;
    let referral = context.ledger.referral(scope, id).await?.ok_or_else(not_found)?;
    let by = caller.staff(context, &document["by"], "/by").await?;
    if referral.kind != ReferralType::Notice || referral.written_by != by.id {
        return Err(not_the_writers());
    }
    let there = context.ledger.notice_readers(&referral).await?;
    let mut write = Write::default();
    for (place, named) in document["seen_by"].as_array().into_iter().flatten().enumerate() {
        let staff = caller.staff(context, named, &format!("/seen_by/{place}")).await?.id;
        if staff != referral.written_by && there.iter().all(|reader| reader.staff != staff) {
            write.rows.notice_readers.push(NoticeReaderRow {
                referral: id,
                staff,
                named_at: context.clock.now(),
            });
        }
    }
    write.rows.audits.push(caller.audit(context, Some(by.id), AuditAction::Act, id, ALLOWED));
    Ok(Prepared { pointer: Pointer::Readers(id), text: answer(id, document), write })
}

/// What was asked for, which is the same for ever.
pub(super) fn answer(id: ReferralId, document: &Value) -> String {
    json!({ "id": id, "seen_by": document["seen_by"] }).to_string()
}

fn not_the_writers() -> Problem {
    Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "見られる職員を加えられるのは、通告を書いた職員だけです。通告でない紹介・連絡は、自機関の職員がだれでも見られます。",
            "Only who wrote a notice names those who may see it; everything else is seen by the whole agency.",
        ))
        .mend(Text::new(
            "通告を書いた職員が、自分のIDを by に書いて送ってください。",
            "Let the writer of the notice send this, with the writer's own id in by.",
        ))
}
