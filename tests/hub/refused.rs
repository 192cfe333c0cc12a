//! Hubs that must not start on what belongs to another.

use super::*;

#[tokio::test]
async fn a_clustered_database_refuses_an_embedded_hub_each_time() {
    let Some(database) = support::database::TestDatabase::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = embedded(&folder.path().join("node"));
    cluster.hub.mode = Mode::Clustered;
    cluster.ledger.url = Secret::new(database.url.clone());
    cluster.amqp.url = Secret::new("amqp://nobody:nothing@127.0.0.1:1/none".to_owned());
    Vault::create(&cluster.vault.folder, KEY.parse().unwrap(), KeyMaking::Allowed).unwrap();
    Hub::start(cluster.clone(), Clock::System).await.unwrap().stop().await;
    let fence = || database.query("SELECT hub_id, mode, root_fingerprint, min_reader FROM hub");
    let before = fence();
    for trial in 0..20 {
        let mut config = embedded(&folder.path().join(format!("embedded-{trial}")));
        config.ledger.url = Secret::new(database.url.clone());
        // With keys of its own, as a build for one machine would come, and with those of the cluster.
        if trial % 2 == 1 {
            config.vault.folder.clone_from(&cluster.vault.folder);
        }
        let refused = Hub::start(config.clone(), Clock::System).await.err().unwrap();
        assert!(refused.is_wrong_use(), "trial {trial}: {refused}");
        let said = tsunagu("C", &["serve", "--data", config.hub.data.to_str().unwrap()])
            .env("TSUNAGU__LEDGER__URL", &database.url)
            .output()
            .unwrap();
        assert_eq!(said.status.code(), Some(2), "trial {trial}: {}", text(&said.stderr));
        assert!(!text(&said.stderr).contains(&database.url), "the URL holds a password");
    }
    assert_eq!(fence(), before);
    Hub::start(cluster, Clock::System).await.unwrap().stop().await;
}
