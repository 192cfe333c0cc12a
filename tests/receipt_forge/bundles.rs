//! Sound bundles, and statements that are sound alone and not together.

use base64::Engine;
use serde_json::{Value, json};

use super::{
    B64, Draft, HUB, LEG, LEG_2, RECIPIENT, SENDER, first, manifest, manifest_with, sender_copy, sha256,
    sign, step, story, thumbprint, vector,
};
use crate::Vector;

pub fn sound() -> Vec<Vector> {
    let always = ["understanding", "content", "later", "time", "history"];
    let all = ["R0", "R1", "R2", "R3", "R4", "-", "closed"];
    let leg = |ladder: &[&str], more: &[&str]| {
        let order = [
            "understanding",
            "content",
            "fields",
            "withheld",
            "opened",
            "reader",
            "answered",
            "later",
            "time",
            "history",
        ];
        let limits: Vec<_> = order.iter().filter(|c| always.contains(c) || more.contains(c)).collect();
        json!({"ladder": ladder, "not_proved": limits})
    };
    let with = |name: &str, receipts: Vec<String>, manifests: Vec<String>, legs: Value| Vector {
        legs: Some(legs),
        ..vector(name, receipts, manifests, &[])
    };
    let full = sign(&story(LEG));
    let complete = [full.clone(), vec![sender_copy(|_| ())]].concat();
    // The section stands among those sent, and among those withheld.
    let concealed = sender_copy(|c| {
        let sent = c["sections"][0].clone();
        c["withheld"][0] = json!({"section": sent, "why": "W_CONCEALED"});
    });
    let mut shuffled = full.clone();
    shuffled.reverse();
    shuffled.push(full[0].clone());
    let mut keyed = first(4);
    keyed[3].payload["by"]["attested"] = json!("agency-key");
    let both = [full.clone(), sign(&story(LEG_2)[..2])].concat();
    vec![
        with(
            "ok_only_r0",
            sign(&first(1)),
            vec![],
            json!({LEG: leg(&["R0"], &["fields", "withheld", "opened", "answered"])}),
        ),
        with("ok_whole_leg", full, vec![], json!({LEG: leg(&all, &["fields", "withheld", "reader"])})),
        with(
            "ok_with_sender_copy_and_manifest",
            complete,
            vec![manifest(LEG)],
            json!({LEG: leg(&all, &["reader"])}),
        ),
        with(
            "ok_with_a_sentence_in_place_of_the_address",
            sign(&first(1)).into_iter().chain([concealed]).collect(),
            vec![],
            json!({LEG: leg(&["R0"], &["fields", "opened", "answered"])}),
        ),
        with(
            "ok_any_order_and_a_repetition",
            shuffled,
            vec![],
            json!({LEG: leg(&all, &["fields", "withheld", "reader"])}),
        ),
        with(
            "ok_opened_with_the_agencys_own_key",
            sign(&keyed),
            vec![],
            json!({LEG: leg(&all[..4], &["fields", "withheld", "answered"])}),
        ),
        with(
            "ok_recalled_unread",
            sign(&recalled(2)),
            vec![],
            json!({LEG: leg(&["R0", "R1", "closed"], &["fields", "withheld", "opened", "answered"])}),
        ),
        with(
            "ok_recalled_after_the_systems_receipt",
            sign(&recalled(3)),
            vec![],
            json!({LEG: leg(&["R0", "R1", "R2", "closed"], &["fields", "withheld", "opened", "answered"])}),
        ),
        with(
            "ok_handed_over",
            sign(&handed_over()),
            vec![],
            json!({LEG: leg(&all, &["fields", "withheld", "reader"])}),
        ),
        with(
            "ok_two_legs",
            both,
            vec![manifest(LEG), manifest(LEG_2)],
            json!({LEG: leg(&all, &["withheld", "reader"]), LEG_2: leg(&all[..2], &["withheld", "opened", "answered"])}),
        ),
    ]
}

/// A leg of so many statements that is recalled, and of which it is signed that nobody was shown the content.
fn recalled(count: usize) -> Vec<Draft> {
    let mut drafts = first(count);
    let state = drafts.last().unwrap().payload["state"].clone();
    let (from, seq) = (state["to"].as_str().unwrap(), state["seq"].as_u64().unwrap());
    let mut closed = step(LEG, Some("closed"), (Some(from), "entered_in_error", seq + 1), 8);
    closed.payload["never_opened"] = json!(true);
    drafts.push(closed);
    drafts
}

/// A family handed over: its recipient is responsible from the acceptance on.
fn handed_over() -> Vec<Draft> {
    let mut drafts = story(LEG);
    for draft in &mut drafts {
        let accepted = draft.payload["state"]["seq"].as_u64().unwrap() >= 3;
        draft.payload["responsible"] = json!(if accepted { RECIPIENT } else { SENDER });
    }
    drafts
}

pub fn chains() -> Vec<Vector> {
    let bundle = |name: &str, drafts: &[Draft], faults: &[&str]| vector(name, sign(drafts), vec![], faults);
    let changed = |name: &str, count: usize, pointer: &str, value: Value, faults: &[&str]| {
        let mut drafts = first(count);
        let last = drafts.last_mut().unwrap();
        match pointer.strip_prefix("+") {
            Some(member) => last.payload[member] = value,
            None => *last.payload.pointer_mut(pointer).unwrap() = value,
        }
        bundle(name, &drafts, faults)
    };
    let full = sign(&story(LEG));
    let pick = |places: &[usize]| places.iter().map(|place| full[*place].clone()).collect::<Vec<_>>();
    let responsible = |name: &str, place: usize, who: Value| {
        let mut drafts = handed_over();
        match who {
            Value::Null => drop(drafts[place].payload.as_object_mut().unwrap().remove("responsible")),
            who => drafts[place].payload["responsible"] = who,
        }
        bundle(name, &drafts, &["responsible"])
    };
    let mut fork = first(2);
    fork[1].payload["at"] = json!("2026-11-22T10:01:30+09:00");
    let mut again = first(2);
    again.push(step(LEG, Some("R1"), (Some("requested"), "requested", 1), 2));
    let mut unread = first(2);
    unread.push(step(LEG, Some("R3"), (Some("requested"), "received", 2), 2));
    let mut closed_twice = story(LEG);
    closed_twice.push(step(LEG, Some("closed"), (Some("completed"), "completed", 5), 7));
    let mut two_starts = first(1);
    two_starts[0].payload["at"] = json!("2026-11-22T09:59:00+09:00");
    let mut out_of_order = first(3);
    out_of_order.swap(1, 2);
    vec![
        vector("chain_without_r0", pick(&[1, 2]), vec![], &["no_start", "prev"]),
        vector("chain_with_a_gap", pick(&[0, 2]), vec![], &["prev"]),
        vector("chain_without_the_event", pick(&[0, 1, 2, 3, 4, 6]), vec![], &["prev"]),
        vector("chain_forked", [pick(&[0, 1]), sign(&fork)[1..].to_vec()].concat(), vec![], &["fork"]),
        vector("chain_two_starts", [pick(&[0, 1]), sign(&two_starts)].concat(), vec![], &["fork"]),
        changed("chain_r0_with_prev", 1, "+prev", json!("00".repeat(32)), &["no_start", "prev"]),
        changed("chain_r1_without_prev", 2, "+prev", Value::Null, &["prev"]),
        changed("chain_prev_elsewhere", 2, "+prev", json!("00".repeat(32)), &["prev"]),
        bundle("chain_opened_and_never_opened", &recalled(4), &["never_opened"]),
        responsible("chain_responsible_too_early", 2, json!(RECIPIENT)),
        responsible("chain_responsible_after_the_acceptance_as_before", 5, json!(SENDER)),
        responsible("chain_responsible_somebody_else", 3, json!(HUB)),
        responsible("chain_responsible_left_out", 4, Value::Null),
        changed(
            "chain_responsible_where_nothing_is_handed_over",
            3,
            "+responsible",
            json!(SENDER),
            &["responsible"],
        ),
        bundle("chain_r1_twice", &again, &["level"]),
        bundle("chain_opened_but_not_taken", &unread, &["level"]),
        bundle("chain_closed_twice", &closed_twice, &["level"]),
        bundle("chain_out_of_order", &out_of_order, &["seq", "state", "time"]),
        changed("chain_seq_gap", 3, "/state/seq", json!(3), &["seq"]),
        changed("chain_seq_back", 4, "/state/seq", json!(1), &["seq"]),
        changed("chain_two_changes_under_one_number", 5, "/state/seq", json!(2), &["link", "seq"]),
        changed("chain_state_not_continued", 5, "/state/from", json!("requested"), &["state", "transition"]),
        changed("chain_state_from_missing", 3, "/state", json!({"to": "received", "seq": 2}), &["state"]),
        changed("chain_illegal_change", 3, "/state/to", json!("completed"), &["transition"]),
        changed(
            "chain_illegal_start",
            1,
            "/state",
            json!({"from": "completed", "to": "requested", "seq": 1}),
            &["transition"],
        ),
        changed("chain_link_differs", 2, "/link", json!("00".repeat(32)), &["link"]),
        changed("chain_sender_changes", 2, "/sender", json!(HUB), &["parties"]),
        changed("chain_recipient_changes", 3, "/recipient", json!(HUB), &["parties"]),
        changed("chain_hub_changes", 2, "/hub_id", json!(SENDER), &["parties"]),
        changed("chain_leg_changes", 2, "/leg", json!(LEG_2), &["no_start", "prev"]),
        changed("chain_time_back", 3, "/at", json!("2026-11-22T10:00:59+09:00"), &["time"]),
        changed("chain_time_back_in_another_zone", 3, "/at", json!("2026-11-22T10:02:00+10:00"), &["time"]),
    ]
}

pub fn copies_and_manifests() -> Vec<Vector> {
    let shared = sign(&first(2));
    let bundle = |name: &str, more: Vec<String>, manifests: Vec<String>, faults: &[&str]| {
        vector(name, [shared.clone(), more].concat(), manifests, faults)
    };
    let mut leaky = first(2);
    leaky[1].payload["withheld"] = json!([]);
    let mut own = first(2);
    own[1].payload["copy"] = json!("sender");
    own[1].payload["referral"] = json!(HUB);
    own[1].payload["withheld"] = json!([]);
    let copy = sender_copy(|_| ());
    let mut after_copy = first(2);
    after_copy[1].payload["prev"] = json!(sha256(&copy));
    let linked_to_copy = [sign(&after_copy), vec![copy.clone()]].concat();
    let swap = |m: &mut Value| m["fields"].as_array_mut().unwrap().swap(0, 1);
    let named = |text: &str| {
        let mut drafts = first(1);
        drafts[0].payload["manifest"] = json!(sha256(text));
        sign(&drafts)
    };
    let unsorted = manifest_with(LEG, swap);
    let doubled = manifest_with(LEG, |m| m["fields"][1] = m["fields"][0].clone());
    let beyond = manifest_with(LEG, |m| m["fields"][0]["path"] = json!("/address/0/town"));
    let elsewhere = manifest_with(LEG_2, |_| ());
    let versioned = manifest_with(LEG, |m| m["v"] = json!(2));
    let extra = manifest_with(LEG, |m| m["fields"][0]["value"] = json!("x"));
    let cut = manifest(LEG)[..200].to_owned();
    vec![
        vector("copy_shared_tells_what_was_withheld", sign(&leaky), vec![], &["copy"]),
        vector("copy_senders_of_r1", sign(&own), vec![], &["copy"]),
        vector("copy_alone", vec![copy], vec![], &["no_start"]),
        vector("copy_linked_to", linked_to_copy, vec![], &["prev"]),
        bundle(
            "copy_differs_in_time",
            vec![sender_copy(|c| c["at"] = json!("2026-11-22T10:00:01+09:00"))],
            vec![],
            &["copy_differs"],
        ),
        bundle(
            "copy_differs_in_content",
            vec![sender_copy(|c| c["content"] = json!("00".repeat(32)))],
            vec![],
            &["copy_differs"],
        ),
        bundle(
            "copy_withheld_and_sent",
            vec![sender_copy(|c| c["withheld"][1] = json!({"section": "needs", "why": "W"}))],
            vec![],
            &["withheld"],
        ),
        bundle(
            "copy_without_referral",
            vec![sender_copy(|c| drop(c.as_object_mut().unwrap().remove("referral")))],
            vec![],
            &["claims"],
        ),
        bundle(
            "manifest_changed",
            vec![],
            vec![manifest_with(LEG, |m| m["content_version"] = json!(2))],
            &["manifest_differs"],
        ),
        bundle("manifest_of_another_leg", vec![], vec![elsewhere.clone()], &["manifest_differs"]),
        vector("manifest_names_another_leg", named(&elsewhere), vec![elsewhere], &["manifest_differs"]),
        vector("manifest_unsorted", named(&unsorted), vec![unsorted], &["manifest"]),
        vector("manifest_path_twice", named(&doubled), vec![doubled], &["manifest"]),
        vector("manifest_version", named(&versioned), vec![versioned], &["manifest"]),
        vector("manifest_with_a_value", named(&extra), vec![extra], &["manifest"]),
        vector("manifest_beyond_the_sections", named(&beyond), vec![beyond], &["manifest_section"]),
        bundle("manifest_cut", vec![], vec![cut], &["form"]),
        vector("manifest_is_a_receipt", sign(&first(1)), vec![shared[1].clone()], &["typ"]),
    ]
}

pub fn key_sets() -> Vec<Vector> {
    let with = |name: &str, change: &dyn Fn(&mut Value), fault: &str| {
        let mut vector = vector(name, sign(&first(1)), vec![], &[fault]);
        change(&mut vector.jwks);
        vector
    };
    let weak = |x: [u8; 32]| {
        let x = B64.encode(x);
        json!({"kty": "OKP", "crv": "Ed25519", "kid": thumbprint(&x), "x": x, "tsunagu_use": "receipt"})
    };
    let identity = weak(std::array::from_fn(|place| u8::from(place == 0)));
    let twofold = weak(std::array::from_fn(|place| match place {
        0 => 0xf0,
        31 => 0x7f,
        _ => 0xff,
    }));
    vec![
        with("jwks_private_key", &|set| set["keys"][0]["d"] = json!("AA"), "jwks"),
        with("jwks_kid_is_no_thumbprint", &|set| set["keys"][0]["kid"] = json!("receipt-1"), "jwks"),
        with("jwks_key_twice", &|set| set["keys"][1] = set["keys"][0].clone(), "jwks"),
        with("jwks_point_of_small_order", &|set| set["keys"][1] = identity.clone(), "jwks"),
        with("jwks_point_written_twofold", &|set| set["keys"][1] = twofold.clone(), "jwks"),
        with("jwks_point_short", &|set| set["keys"][0]["x"] = json!("AAAA"), "jwks"),
        with("jwks_no_list", &|set| *set = json!({}), "jwks"),
        with("jwks_empty", &|set| *set = json!({"keys": []}), "kid"),
        with("jwks_key_of_another_purpose", &|set| set["keys"][0]["tsunagu_use"] = json!("token"), "kid"),
    ]
}
