//! A broker vhost of a test's own, and a broker of a test's own for those that end it.

use std::{fs, path::PathBuf};

use super::{servers, unique_name};

/// Made empty (it costs about 0.1 s); dropped when the value goes. Nothing another test does is seen in it.
pub struct TestVhost {
    /// AMQP URL as the hub's own user, who may do everything in this vhost.
    pub url: String,
    name: String,
    folder: PathBuf,
}

impl TestVhost {
    /// In the broker all tests share. Gives `None`, and says so, if there is none.
    pub fn new() -> Option<Self> {
        Some(Self::in_broker(servers::folder()?, &servers::amqp()?))
    }

    fn in_broker(folder: PathBuf, any_url: &str) -> Self {
        let name = unique_name();
        servers::command(&["vhost", text(&folder), &name]);
        let (server, _) = any_url.rsplit_once('/').expect("HUB_TEST_AMQP names a vhost");
        Self { url: format!("{server}/{name}"), name, folder }
    }

    /// Makes an agency's broker user with the rights an operator gives it: read its own two queues (doorbells and
    /// sealed documents), publish, declare and bind nothing. Gives back its AMQP URL.
    pub fn agency_user(&self, agency: &str) -> String {
        let read = format!(r"^(inbox|sealed)\.{agency}\.v1$");
        let user = unique_name();
        servers::command(&["user", text(&self.folder), &self.name, &user, "secret", "^$", "^$", &read]);
        let (_, host) = self.url.rsplit_once('@').expect("the hub's URL holds its user");
        format!("amqp://{user}:secret@{host}")
    }
}

impl Drop for TestVhost {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            servers::command(&["drop-vhost", text(&self.folder), &self.name]);
        }
    }
}

/// A broker nobody else uses, for tests that kill it or delete its store; it takes 3 to 8 s to start. On RabbitMQ
/// 3.10 a queue declared less than a second or so before a kill may come back dead: wait, or wipe.
pub struct OwnBroker {
    /// AMQP URL of its first vhost, which is there again after `wipe` and `restart`. The port never changes.
    pub url: String,
    folder: PathBuf,
}

impl OwnBroker {
    /// Gives `None`, and says so, if the shared servers are not there either.
    pub fn start() -> Option<Self> {
        let folder = servers::folder()?.with_extension(unique_name());
        let printed = servers::command(&["start", "--only", "broker", text(&folder)]);
        let url = printed.lines().find_map(|line| line.strip_prefix("export HUB_TEST_AMQP="));
        Some(Self { url: url.expect("scripts/servers prints the broker's URL").to_owned(), folder })
    }

    /// SIGKILL, by process id.
    pub fn kill(&self) {
        servers::command(&["kill-broker", text(&self.folder)]);
    }

    /// SIGKILL, then everything it ever stored is deleted.
    pub fn wipe(&self) {
        servers::command(&["wipe-broker", text(&self.folder)]);
    }

    /// Starts it again and waits until it takes connections.
    pub fn restart(&self) {
        servers::command(&["restart-broker", text(&self.folder)]);
    }

    pub fn process_id(&self) -> u32 {
        let written = fs::read_to_string(self.folder.join("broker.pid")).expect("the broker wrote its id");
        written.trim().parse().expect("a process id is a number")
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        servers::command(&["stop", text(&self.folder)]);
    }
}

fn text(folder: &std::path::Path) -> &str {
    folder.to_str().expect("test folders have UTF-8 names")
}
