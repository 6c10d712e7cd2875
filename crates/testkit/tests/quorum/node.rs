//! A node that goes on: the example node as a process, with the real security
//! plugin, which is killed, frozen and reloaded to versions that are no good. No
//! block is late, nobody is let in while nobody can judge, and good callers are
//! served again without anybody's help.

mod caller;
mod site;

use std::process::{Command, Stdio};
use std::time::Duration;

use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::rpc_params;
use outrigger_testkit::lateness::Lateness;
use outrigger_testkit::quorum::QuorumKit;
use outrigger_testkit::{artifacts, e2e};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::caller::{Caller, http, ws};
use self::site::{DYING, GOOD, Node, STILLBORN, STRANGERS, Site, TOKEN, UNSEEN};

const BLOCK: Duration = Duration::from_millis(100);

/// A node, callers who are to be let in, callers who are not, and a clock.
struct Trial {
    site: Site,
    node: Node,
    good: [Caller; 2],
    bad: [Caller; 2],
    machine: Lateness,
    /// Since when, and how many blocks there were.
    begun: (Instant, u64),
}

async fn ask(node: &Node, method: &str) -> Value {
    http(&node.url, Some(TOKEN)).request(method, rpc_params![]).await.unwrap()
}

async fn height(node: &Node) -> u64 {
    ask(node, "chain_blockNumber").await.as_u64().unwrap()
}

/// The name of the version that serves.
async fn serving(node: &Node) -> Value {
    ask(node, "admin_nodeInfo").await["plugins"]["security"]["name"].take()
}

impl Trial {
    async fn begin(site: Site) -> Self {
        let machine = Lateness::watch();
        let node = Node::start(&site);
        let url = node.url.as_str();
        let good = [
            Caller::start(vec![http(url, Some(TOKEN))]),
            Caller::start(vec![ws(url, Some(TOKEN)).await]),
        ];
        let mut sockets = Vec::new();
        for stranger in STRANGERS {
            sockets.push(ws(url, stranger).await);
        }
        let strangers = STRANGERS.map(|stranger| http(url, stranger));
        let bad = [Caller::start(strangers.into()), Caller::start(sockets)];
        let height = height(&node).await;
        let trial = Self { site, node, good, bad, machine, begun: (Instant::now(), height) };
        trial.everybody_good_is_served().await;
        trial
    }

    async fn everybody_good_is_served(&self) {
        for caller in &self.good {
            caller.is_served(5).await;
        }
    }

    async fn nobody_is_served(&self) {
        for caller in self.good.iter().chain(&self.bad) {
            caller.stays_out().await;
        }
    }

    fn refused(&self) -> u64 {
        self.good.iter().map(Caller::refused).sum()
    }

    /// The plugin's process is killed.
    async fn kill(&self) {
        self.site.start.shut();
        self.node.signal_plugin(Signal::KILL);
        self.site.start.reached().await;
        self.nobody_is_served().await;
        self.site.start.open().await;
        self.everybody_good_is_served().await;
    }

    /// The plugin's process is stopped, and lives.
    async fn freeze(&self) {
        self.site.start.shut();
        self.node.signal_plugin(Signal::STOP);
        // What was judged before holds as long as the plugin counts as alive;
        // nobody else is let in.
        let late = Caller::start(vec![http(&self.node.url, Some(UNSEEN))]);
        self.site.start.reached().await;
        self.nobody_is_served().await;
        late.stays_out().await;
        assert_eq!(late.served(), 0, "let in by a plugin that hangs");
        self.site.start.open().await;
        self.everybody_good_is_served().await;
        late.is_served(1).await;
        assert_eq!(late.finish().await.into_iter().collect::<Vec<_>>(), ["internal error"]);
    }

    /// Settings name a version that does not start.
    async fn reload_to_a_stillborn(&mut self) {
        let before = self.refused();
        self.site.choose(STILLBORN);
        let taken_up = self.node.take_up();
        assert_eq!(taken_up["changed"], json!([]));
        let failed = taken_up["failed"][0].as_str().unwrap();
        assert!(failed.contains("exit code 3"), "{failed}");
        self.everybody_good_is_served().await;
        assert_eq!(serving(&self.node).await, GOOD);
        // One that is good takes over between two calls.
        self.site.choose(GOOD);
        self.site.kit.kit.set("/providers/security/config/greeting", json!("Good day"));
        assert_eq!(self.node.take_up(), json!({ "changed": ["security"], "failed": [] }));
        self.everybody_good_is_served().await;
        assert_eq!(self.refused(), before, "a reload turned callers away");
    }

    /// Settings have the plugin serve without authentication.
    async fn reload_to_an_open_door(&mut self) {
        self.site.authenticate(false);
        assert_eq!(self.node.take_up(), json!({ "changed": ["security"], "failed": [] }));
        self.nobody_is_served().await;
        self.site.authenticate(true);
        assert_eq!(self.node.take_up(), json!({ "changed": ["security"], "failed": [] }));
        self.everybody_good_is_served().await;
    }

    /// Settings name a version that serves for a moment.
    async fn reload_to_a_dying(&mut self) {
        let before = self.refused();
        self.site.end.shut();
        self.site.choose(DYING);
        assert_eq!(self.node.take_up(), json!({ "changed": ["security"], "failed": [] }));
        self.everybody_good_is_served().await;
        assert_eq!(serving(&self.node).await, DYING);
        assert_eq!(self.refused(), before, "a reload turned callers away");
        self.site.start.shut();
        self.site.end.open().await;
        self.site.start.reached().await;
        self.nobody_is_served().await;
        self.site.start.open().await;
        self.everybody_good_is_served().await;
        assert_eq!(serving(&self.node).await, GOOD);
    }

    async fn finish(self) {
        let (begun, before) = self.begun;
        let due = begun.elapsed().as_millis() / BLOCK.as_millis();
        let made = height(&self.node).await - before;
        let blocks = ask(&self.node, "chain_lateBlocks").await;
        let worst = Duration::from_micros(blocks["worstMicros"].as_u64().unwrap());
        let machine = self.machine.worst();
        assert!(worst < BLOCK + machine, "blocks: {blocks}, the machine: {machine:?}");
        let missing = due.saturating_sub(u128::from(made));
        let lagging = 1 + worst.as_millis() / BLOCK.as_millis();
        assert!(missing <= lagging, "{made} blocks where {due} were due");
        for caller in self.bad {
            // Each of them, if it was not so before.
            caller.is_refused(2 * STRANGERS.len() as u64).await;
            assert_eq!(caller.served(), 0, "a stranger was let in");
            let texts = caller.finish().await;
            assert!(texts.iter().all(|text| REFUSALS.contains(&text.as_str())), "{texts:?}");
            assert!(texts.len() + 1 >= REFUSALS.len(), "who was turned away? {texts:?}");
        }
        for caller in self.good {
            let texts = caller.finish().await;
            assert!(texts.iter().all(|text| text == "internal error"), "{texts:?}");
        }
        self.node.stop(&self.site);
    }
}

/// What strangers are told; the last one while nobody can judge.
const REFUSALS: [&str; 5] = [
    "missing access token",
    "invalid access token",
    "token expired",
    "chain_blockNumber - access denied",
    "internal error",
];

e2e! {
    async fn nobody_gets_in_and_no_block_is_late_while_the_security_plugin_is_dead() {
        let trial = Trial::begin(Site::new()).await;
        trial.kill().await;
        trial.finish().await;
    }

    async fn nobody_new_gets_in_and_no_block_is_late_while_the_security_plugin_hangs() {
        let mut site = Site::new();
        site.watch_closely();
        let trial = Trial::begin(site).await;
        trial.freeze().await;
        trial.finish().await;
    }

    async fn a_version_that_does_not_start_turns_no_caller_away_and_delays_no_block() {
        let mut trial = Trial::begin(Site::new()).await;
        trial.reload_to_a_stillborn().await;
        trial.finish().await;
    }

    async fn a_version_that_dies_soon_is_taken_back_by_itself_and_delays_no_block() {
        let mut trial = Trial::begin(Site::new()).await;
        trial.reload_to_a_dying().await;
        trial.finish().await;
    }

    async fn a_version_that_authenticates_nobody_lets_nobody_in_and_delays_no_block() {
        let mut trial = Trial::begin(Site::new()).await;
        trial.reload_to_an_open_door().await;
        trial.finish().await;
    }

    async fn a_node_goes_on_through_all_of_that_in_one_life() {
        let mut site = Site::new();
        site.watch_closely();
        let mut trial = Trial::begin(site).await;
        trial.kill().await;
        trial.freeze().await;
        trial.reload_to_a_stillborn().await;
        trial.reload_to_an_open_door().await;
        trial.reload_to_a_dying().await;
        trial.finish().await;
    }

    async fn a_node_without_a_security_plugin_serves_nobody() {
        let kit = QuorumKit::new();
        let output = Command::new(artifacts::node())
            .arg(kit.kit.settings_url())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty(), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("the settings name no security plugin"), "{error}");
        kit.kit.assert_clean();
    }
}
