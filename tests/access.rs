//! Who may do what: every endpoint × method × caller × object, generated from the table of routes, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

use std::collections::{BTreeMap, BTreeSet};

use tsunagu::web::{Access, DRY_RUNS, Endpoint, Row, TABLE};

mod support;

#[path = "access/cases.rs"]
mod cases;
#[path = "access/cells.rs"]
mod cells;
#[path = "access/notices.rs"]
mod notices;
#[path = "access/pages.rs"]
mod pages;
#[path = "access/protections.rs"]
mod protections;
#[path = "access/roles.rs"]
mod roles;
#[path = "access/timing.rs"]
mod timing;
#[path = "access/traces.rs"]
mod traces;
#[path = "access/world.rs"]
mod world;

use cells::{Caller, Object, Stories, expected, request, spends, with_caller};
use support::town::{Engine, Reply};
use world::World;

#[tokio::test]
async fn every_cell_of_the_matrix_is_as_it_should_be() {
    for engine in Engine::BOTH {
        let Some(world) = World::new(engine).await else { continue };
        let mut stories = Vec::new();
        let mut cells = 0;
        let mut round = fresh(&world).await;
        for row in TABLE {
            for caller in Caller::ALL {
                cells += ask_for_every_object(&world, row, &round, caller).await;
                if spends(row.endpoint) {
                    stories.extend(into_both(std::mem::replace(&mut round, fresh(&world).await)));
                }
            }
            // What was only looked at is as it was.
            if row.method != "GET" && !spends(row.endpoint) {
                stories.extend(into_both(std::mem::replace(&mut round, fresh(&world).await)));
            }
        }
        stories.extend(into_both(round));
        cells += ask_by_wrong_methods(&world).await;
        assert_eq!(cells, cells_there_are(), "cells asserted on {engine:?}");
        let answers = world.assert_nobody_saw_anything_foreign(&stories);
        assert!(answers > cells, "the search saw {answers} answers");
    }
}

/// What would happen is told to whom it may happen, and to nobody else; and it does not happen.
#[tokio::test]
async fn a_dry_run_tells_nobody_more_than_the_change_itself() {
    for engine in Engine::BOTH {
        let Some(world) = World::new(engine).await else { continue };
        let stories = fresh(&world).await;
        let mut told = 0;
        for row in TABLE.iter().filter(|row| row.method != "GET" && row.access == Access::Agency) {
            // To ask for something may need something done before.
            let mut asked = Vec::new();
            for (caller, object) in Caller::ALL.into_iter().flat_map(|c| Object::ALL.map(|o| (c, o))) {
                let sent = request(&world, row, &stories, caller, object).await.header("prefer", "dry-run");
                asked.push((caller, object, sent));
            }
            let before = world.town.rows().await;
            for (caller, object, sent) in asked {
                let reply = caller.party(&world).agency.send(sent).await;
                let cell =
                    format!("{} {} by {caller:?} on {object:?}: {}", row.method, row.path, reply.text());
                let preview =
                    row.endpoint == Endpoint::Submit && matches!(object, Object::Foreign | Object::Missing);
                let (status, problem) = match expected(row, engine, caller, object) {
                    // A preview shows the refusal that a submission would be answered with.
                    (422, _) if preview => (200, None),
                    (401, problem) => (401, problem),
                    _ if !DRY_RUNS.contains(&row.endpoint) => (400, Some("no-dry-run")),
                    (200 | 201, _) => (200, None),
                    refused => refused,
                };
                assert_eq!(reply.code(), status, "{cell}");
                if let Some(problem) = problem {
                    assert_eq!(reply.problem(), problem, "{cell}");
                }
                assert_eq!(
                    reply.header("preference-applied"),
                    (status == 200).then_some("dry-run"),
                    "{cell}"
                );
                if preview && status == 200 {
                    assert_eq!(reply.json()["legs"][0]["refusal"]["code"], "CONSENT_MISSING", "{cell}");
                }
                told += usize::from(status == 200);
            }
            let mut after = world.town.rows().await;
            after.insert("audit".to_owned(), before["audit"]);
            assert_eq!(before, after, "nothing was done but looked: {} {}", row.method, row.path);
        }
        assert!(told >= 10, "{told}");
        world.assert_nobody_saw_anything_foreign(&into_both(stories));
    }
}

async fn fresh(world: &World) -> Stories {
    let first = world.story(&world.owner, &world.recipient).await;
    let second = world.story(&world.third, &world.fourth).await;
    Stories { first, second }
}

fn into_both(stories: Stories) -> [world::Story; 2] {
    [stories.first, stories.second]
}

/// The four cells of one endpoint and one caller; and that a foreign object is answered as a missing one is.
async fn ask_for_every_object(world: &World, row: &Row, stories: &Stories, caller: Caller) -> usize {
    let mut replies = BTreeMap::new();
    for (place, object) in Object::ALL.into_iter().enumerate() {
        let sent = request(world, row, stories, caller, object).await;
        let reply = caller.party(world).agency.send(sent).await;
        let (status, problem) = expected(row, world.engine, caller, object);
        let cell = format!("{} {} by {caller:?} on {object:?}", row.method, row.path);
        assert_eq!(reply.code(), status, "{cell}: {}", reply.text());
        if let Some(kind) = problem {
            assert_eq!(reply.problem(), kind, "{cell}");
        }
        replies.insert(place, reply);
    }
    let (missing, foreign) = (&replies[&1], &replies[&2]);
    if missing.status.is_client_error() && foreign.status.is_client_error() {
        let cell = format!("{} {} by {caller:?}", row.method, row.path);
        assert_eq!(missing.text(), foreign.text(), "{cell}");
        assert_eq!(stable_headers(missing), stable_headers(foreign), "{cell}");
    }
    replies.len()
}

/// The headers of an answer, besides those that differ between any two answers.
fn stable_headers(reply: &Reply) -> BTreeMap<String, String> {
    let headers =
        reply.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    headers.filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id")).collect()
}

/// Methods the API uses somewhere, and three it uses nowhere.
fn methods() -> BTreeSet<&'static str> {
    TABLE.iter().map(|row| row.method).chain(["HEAD", "PATCH", "OPTIONS"]).collect()
}

fn paths() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut paths: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for row in TABLE {
        paths.entry(row.path).or_default().insert(row.method);
    }
    paths
}

fn cells_there_are() -> usize {
    let wrong: usize = paths().values().map(|has| methods().len() - has.len()).sum();
    (TABLE.len() + wrong) * Caller::ALL.len() * Object::ALL.len()
}

/// A method that a path has not is refused before anything is looked at: the same answer to everybody, whatever
/// the path names.
async fn ask_by_wrong_methods(world: &World) -> usize {
    let stories = fresh(world).await;
    let mut cells = 0;
    for (path, has) in paths() {
        for method in methods().difference(&has) {
            for caller in Caller::ALL {
                for object in Object::ALL {
                    let id = match object {
                        Object::Own => stories.first.leg.as_str(),
                        Object::Foreign => stories.second.leg.as_str(),
                        Object::Missing => "0192f000-0000-4000-8000-00000000dead",
                        Object::Malformed => "x",
                    };
                    let at = path.replace("{id}", id).replace("{subject}", id);
                    let at = at.replace("{action}", "note").replace("{level}", "R0").replace("{name}", id);
                    let sent = with_caller(world, caller, method, &at).await;
                    let reply = caller.party(world).agency.send(sent).await;
                    assert_eq!(reply.code(), 405, "{method} {path} by {caller:?}");
                    let allow: BTreeSet<_> = reply.header("allow").unwrap().split(", ").collect();
                    assert_eq!(allow, has, "{method} {path}");
                    if *method != "HEAD" {
                        assert_eq!(reply.problem(), "method-not-allowed");
                    }
                    cells += 1;
                }
            }
        }
    }
    cells
}
