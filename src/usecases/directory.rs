//! The directory as the API shows it: agencies and services. Public data, the same for every agency.

use serde_json::{Value, json};

use super::{
    Context,
    import::Source,
    not_found,
    page::{Limit, page},
};
use crate::{
    domain::{
        agency::AgencyKind,
        ids::{AgencyId, ServiceId},
        municipality::MunicipalityCode,
        problem::Problem,
        service::{AgeClass, ServiceKind, Vacancy},
    },
    ledger::{
        agency::AgencyRow,
        service::{ServiceFilter, ServiceRow},
    },
};

/// Which services a list shows, and which page of it.
#[derive(Clone, Debug, Default)]
pub struct ServiceQuery {
    /// The municipality or ward it stands in.
    pub ward: Option<MunicipalityCode>,
    pub kind: Option<ServiceKind>,
    /// Only services that offer this class, full or not.
    pub age: Option<AgeClass>,
    pub after: Option<ServiceId>,
    pub limit: Limit,
}

/// Rows read at once, and how often, when only some of them are shown: a request stays bounded however
/// rare a match is. A page may then be short, or empty, and still name a next one.
const SCAN_ROWS: i64 = 500;
const SCANS: usize = 8;

/// One page of agencies, by keyset (GET /v1/agencies).
///
/// # Errors
/// The ledger could not be read.
pub async fn agencies(
    context: &Context,
    kind: Option<AgencyKind>,
    after: Option<AgencyId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.agencies(kind, after, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(page(rows.iter().map(agency_view).collect(), next))
}

/// One agency (GET /v1/agencies/{id}).
///
/// # Errors
/// Not found.
pub async fn agency(context: &Context, id: AgencyId) -> Result<String, Problem> {
    let row = context.ledger.agency(id).await?.ok_or_else(not_found)?;
    Ok(agency_view(&row).to_string())
}

/// One page of services, by keyset (GET /v1/services).
///
/// # Errors
/// The ledger could not be read.
pub async fn services(context: &Context, query: &ServiceQuery) -> Result<String, Problem> {
    let filter = ServiceFilter { municipality: query.ward, kind: query.kind };
    let chunk = if query.age.is_some() { SCAN_ROWS } else { query.limit.rows() };
    let matches = |row: &ServiceRow| match query.age {
        None => true,
        Some(class) => vacancy(row).is_some_and(|vacancy| vacancy.offers(class)),
    };
    let (mut found, mut after) = (Vec::new(), query.after);
    for _ in 0..SCANS {
        let rows = context.ledger.services(&filter, after, chunk).await?;
        let last = rows.last().map(|row| row.id);
        let end = (rows.len() as i64) < chunk;
        found.extend(rows.into_iter().filter(matches));
        if query.limit.cut(&mut found) {
            after = found.last().map(|row| row.id);
            break;
        }
        after = last.filter(|_| !end);
        if end {
            break;
        }
    }
    Ok(page(found.iter().map(service_view).collect(), after.map(|id| id.to_string())))
}

/// One service (GET /v1/services/{id}).
///
/// # Errors
/// Not found.
pub async fn service(context: &Context, id: ServiceId) -> Result<String, Problem> {
    let row = context.ledger.service(id).await?.ok_or_else(not_found)?;
    Ok(service_view(&row).to_string())
}

fn agency_view(row: &AgencyRow) -> Value {
    let mut view = json!({
        "id": row.id, "name": row.name, "kind": row.kind, "municipality": row.municipality, "active": row.active == 1,
    });
    if let Some(number) = &row.corporate_number {
        view["corporate_number"] = json!(number);
    }
    view
}

fn service_view(row: &ServiceRow) -> Value {
    // Whoever shows these numbers has to name where they come from: the licence asks for it.
    let source = match row.source.parse::<Source>() {
        Ok(source) => source.label_ja(),
        Err(_) => &row.source,
    };
    let mut view = json!({
        "id": row.id, "name": row.name, "kind": row.kind, "facility_number": row.number,
        "municipality": row.municipality, "source": source,
    });
    if let Some(ward) = &row.ward {
        view["ward"] = json!(ward);
    }
    if let Some(vacancy) = vacancy(row) {
        view["vacancy"] = vacancy_view(&vacancy, source);
    }
    view
}

/// What was published of a service's places; nothing if no day was given for it.
pub(super) fn vacancy(row: &ServiceRow) -> Option<Vacancy> {
    let ServiceRow { accepting, waiting, enrolled, .. } = *row;
    row.as_of.map(|as_of| Vacancy { as_of, accepting, waiting, enrolled })
}

/// A class without a number is null: not offered, or not known. It is never 0.
fn vacancy_view(vacancy: &Vacancy, source: &str) -> Value {
    let place = |class: AgeClass| {
        json!({
            "age_class": class, "accepting": vacancy.accepting.get(class),
            "waiting": vacancy.waiting.get(class), "enrolled": vacancy.enrolled.get(class),
        })
    };
    json!({ "as_of": vacancy.as_of, "source": source, "places": AgeClass::ALL.map(place) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::usecases::{import::import, register::NewAgency, schema::Schema, testing};

    async fn yokohama() -> testing::TestHub {
        let hub = testing::hub().await;
        import(&hub, &testing::yokohama_sheets(), |_, _| {}).await.unwrap();
        hub
    }

    fn read(text: &str) -> (Vec<Value>, Option<ServiceId>) {
        let mut page: Value = serde_json::from_str(text).unwrap();
        let next = page["next"].as_str().map(|next| next.parse().unwrap());
        let Value::Array(items) = page["items"].take() else { panic!("items") };
        (items, next)
    }

    /// Every page of a list, one after the other.
    async fn all(hub: &testing::TestHub, mut query: ServiceQuery) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let (items, next) = read(&services(hub, &query).await.unwrap());
            found.extend(items);
            match next {
                Some(next) => query.after = Some(next),
                None => return found,
            }
        }
    }

    #[tokio::test]
    async fn every_imported_service_is_shown_once_and_follows_its_schema() {
        let hub = yokohama().await;
        let limit = "200".parse().unwrap();
        let found = all(&hub, ServiceQuery { limit, ..ServiceQuery::default() }).await;
        for item in &found {
            assert_eq!(Schema::Service.check(item), Ok(()), "{item}");
        }
        let ids: BTreeSet<_> = found.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!((found.len(), ids.len()), (1_230, 1_230));
        let one = service(&hub, found[0]["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&one).unwrap(), found[0]);
        assert!(service(&hub, ServiceId::new(uuid::Uuid::nil())).await.is_err());
    }

    #[tokio::test]
    async fn a_ward_is_named_by_five_digits_or_six() {
        let hub = yokohama().await;
        let ward = |code: &str| ServiceQuery { ward: Some(code.parse().unwrap()), ..ServiceQuery::default() };
        let tsurumi = all(&hub, ward("14101")).await;
        assert_eq!(tsurumi, all(&hub, ward("141011")).await);
        assert!(!tsurumi.is_empty() && tsurumi.iter().all(|item| item["ward"] == "鶴見区"));
        assert_eq!(all(&hub, ward("13101")).await, Vec::<Value>::new());
        let kinds = ServiceQuery { kind: Some(ServiceKind::ShortStay), ..ward("14101") };
        assert_eq!(all(&hub, kinds).await, Vec::<Value>::new());
    }

    #[tokio::test]
    async fn a_class_that_is_not_offered_is_null_and_is_not_found_by_age() {
        let hub = yokohama().await;
        let name = "すぎやま家庭保育室";
        let of_age =
            |class: usize| ServiceQuery { age: Some(AgeClass::ALL[class]), ..ServiceQuery::default() };
        let (noughts, ones) = (all(&hub, of_age(0)).await, all(&hub, of_age(1)).await);
        let home = noughts.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(home["vacancy"]["places"][0]["accepting"], 0);
        assert_eq!(home["vacancy"]["places"][1]["accepting"], Value::Null);
        assert!(!ones.iter().any(|item| item["name"] == name));
        assert!(ones.iter().all(|item| item["vacancy"]["places"][1]["accepting"].is_u64()));
        // Two of the facilities take no children of one year.
        assert_eq!((noughts.len(), ones.len()), (1_230, 1_228));
    }

    #[tokio::test]
    async fn agencies_are_shown_by_kind_and_page_and_follow_their_schema() {
        let hub = testing::hub().await;
        for kind in [AgencyKind::Npo, AgencyKind::Npo, AgencyKind::ChildGuidance] {
            hub.agency(kind).await;
        }
        let new = NewAgency {
            kind: AgencyKind::WelfareCouncil,
            name: "社会福祉法人 試験会".to_owned(),
            municipality: testing::TSURUMI.parse().unwrap(),
            corporate_number: Some("8000012010038".parse().unwrap()),
            body: None,
            contractor_of: None,
        };
        let (council, _) = crate::usecases::register::add_agency(&hub, new).await.unwrap();
        let everybody = agencies(&hub, None, None, Limit::default()).await.unwrap();
        let (items, next) = read(&everybody);
        assert_eq!((items.len(), next), (4, None));
        for item in &items {
            assert_eq!(Schema::Agency.check(item), Ok(()), "{item}");
        }
        let (npos, next) =
            read(&agencies(&hub, Some(AgencyKind::Npo), None, "1".parse().unwrap()).await.unwrap());
        let after = next.map(|id| AgencyId::new(id.uuid()));
        assert_eq!((npos.len(), after.is_some()), (1, true));
        let (others, next) =
            read(&agencies(&hub, Some(AgencyKind::Npo), after, Limit::default()).await.unwrap());
        assert_eq!((others.len(), next), (1, None));
        let shown: Value = serde_json::from_str(&agency(&hub, council).await.unwrap()).unwrap();
        assert_eq!(shown["corporate_number"], "8000012010038");
        assert!(!everybody.contains("secret") && !everybody.contains("data_key"));
    }
}
