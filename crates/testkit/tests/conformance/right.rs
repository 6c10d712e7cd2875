//! Plugins that are right: ours, and those of other languages and libraries.

use std::path::{Path, PathBuf};

use outrigger_testkit::artifacts;

use super::{broken, check, failed, names};
use outrigger_conformance::Verdict;

/// What a plugin of an example's directory is started with.
fn entry_point(directory: &Path) -> PathBuf {
    let metadata = std::fs::read(directory.join("plugin-meta.json")).unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    directory.join(metadata["entrypoint"].as_str().unwrap())
}

/// An example, in whatever language, fails nothing that binds it.
async fn an_example_is_right(name: &str) {
    let Some(directory) = artifacts::foreign(name) else { return };
    let report = check(&entry_point(&directory), &[], &[]).await;
    assert!(broken(&report).is_empty(), "{}", report.to_table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_s_plugin_fails_no_case_and_no_advice() {
    let program = env!("CARGO_BIN_EXE_outrigger-interop-plugin");
    let report = check(program.as_ref(), &["-versions", "1,2"], &[]).await;
    assert!(failed(&report).is_empty(), "{}", report.to_table());
    let unconcerned = names(&report, |verdict| matches!(verdict, Verdict::NotApplicable(_)));
    assert!(unconcerned.iter().all(|name| name.starts_with("tcp-")), "{unconcerned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_s_plugin_on_tcp_fails_no_case() {
    let program = env!("CARGO_BIN_EXE_outrigger-interop-plugin");
    let report = check(program.as_ref(), &["--tcp"], &["1", "2", "4", "5", "9"]).await;
    assert!(failed(&report).is_empty(), "{}", report.to_table());
    let passed = names(&report, |verdict| *verdict == Verdict::Pass);
    assert_eq!(passed.iter().filter(|name| name.starts_with("tcp-")).count(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_s_example_fails_no_case_and_no_advice() {
    let report = check(&artifacts::hello_world(), &[], &[]).await;
    assert!(failed(&report).is_empty(), "{}", report.to_table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_plugin_of_the_newest_go_plugin_fails_no_case() {
    let Some(program) = artifacts::foreign("interop-go-1.8.0") else { return };
    let report = check(&program, &["plugin"], &[]).await;
    // Whether its process ends before its brokered sockets are removed is
    // chance.
    let by_chance = "brokered-sockets-removed";
    let wrong: Vec<_> = broken(&report).into_iter().filter(|name| *name != by_chance).collect();
    assert!(wrong.is_empty(), "{}", report.to_table());
    // What the book says of Go, as *Go:*.
    let known = [
        by_chance,
        "dial-ends-with-stream",
        "ends-with-host",
        "failed-start-explained",
        "lower-common-version",
        "mux-unknown-knock-refused",
        "mux-unused-permission-dropped",
        "prints-without-reader",
        "record-keys-not-replaced",
        "shutdown-answered",
        "stderr-closed",
        "unreadable-host-certificate-refused",
    ];
    let news: Vec<_> = failed(&report).into_iter().filter(|name| !known.contains(name)).collect();
    assert!(news.is_empty(), "{news:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_plugin_of_an_old_go_plugin_fails_what_came_later() {
    let Some(program) = artifacts::foreign("interop-go-1.4.4") else { return };
    let report = check(&program, &["plugin"], &["1", "4", "5", "6"]).await;
    let of_1_5 = [
        "brokered-socket-group",
        "brokered-socket-in-directory",
        "brokered-sockets-removed",
        "socket-group-by-name",
        "socket-group-by-number",
        "socket-group-unknown",
        "socket-in-directory",
    ];
    assert!(broken(&report).into_iter().eq(of_1_5), "{}", report.to_table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_go_fails_no_case() {
    an_example_is_right("hello-go").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_fails_no_case() {
    an_example_is_right("hello-python").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_node_fails_no_case() {
    an_example_is_right("hello-node").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_java_fails_no_case() {
    an_example_is_right("hello-java").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interop_plugins_of_other_languages_fail_no_case() {
    for name in ["interop-python", "interop-node", "interop-java"] {
        let Some(program) = artifacts::foreign(name) else { continue };
        let report = check(&program, &[], &["6", "7", "8", "9"]).await;
        assert!(broken(&report).is_empty(), "{}", report.to_table());
    }
}
