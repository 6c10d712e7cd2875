//! The log of a program that installed it, as its host reads it. The program
//! is this test's own, started again as a child.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::process::{Command, Stdio};

use serde_json::Value;

/// Tells the child from the test.
const CHILD: &str = "OUTRIGGER_SDK_TEST_CHILD";

/// Runs `what` in a child that installed the log, and gives its records.
fn records_of(test: &str, what: fn()) -> Vec<Value> {
    if std::env::var_os(CHILD).is_some() {
        outrigger_sdk::log::install();
    }
    let text = words_of(test, what);
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs `what` in a child, and gives its standard error.
fn words_of(test: &str, what: fn()) -> String {
    if std::env::var_os(CHILD).is_some() {
        what();
        std::process::exit(0);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .env("RUST_LOG", "debug")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_event_is_one_record_and_its_target_the_module() {
    let records = records_of("an_event_is_one_record_and_its_target_the_module", || {
        tracing::warn!(target: "anchor", depth = 12, rope = ?"thin", "slips");
        tracing::trace!("filtered");
    });
    let [record] = records.as_slice() else { panic!("one record: {records:?}") };
    assert_eq!(record["@level"], "warn");
    assert_eq!(record["@message"], "slips");
    assert_eq!(record["@module"], "anchor");
    assert_eq!((&record["depth"], &record["rope"]), (&12.into(), &"\"thin\"".into()));
    let timestamp = record["@timestamp"].as_str().unwrap();
    assert_eq!((timestamp.len(), &timestamp[26..]), ("2026-11-21T10:00:00.000000Z".len(), "Z"));
}

#[test]
fn a_record_may_have_fields_of_any_name_and_shape_but_the_form_s_own() {
    let test = "a_record_may_have_fields_of_any_name_and_shape_but_the_form_s_own";
    let records = records_of(test, || {
        let fields = [("list", serde_json::json!([1, {"a": null}])), ("@level", 7.into())];
        outrigger_sdk::log::record(tracing::Level::TRACE, "anchor", "as it is", fields);
    });
    let [record] = records.as_slice() else { panic!("one record: {records:?}") };
    assert_eq!((&record["@level"], &record["@module"]), (&"trace".into(), &"anchor".into()));
    assert_eq!(record["list"], serde_json::json!([1, {"a": null}]));
    assert_eq!(record["field_@level"], 7);
}

#[test]
fn integers_that_go_would_round_are_texts() {
    let records = records_of("integers_that_go_would_round_are_texts", || {
        tracing::info!(exact = 1_u64 << 53, large = u64::MAX, small = i64::MIN, huge = u128::MAX);
    });
    let [record] = records.as_slice() else { panic!("one record: {records:?}") };
    assert_eq!(record["exact"], 9_007_199_254_740_992_u64);
    assert_eq!(record["large"], u64::MAX.to_string());
    assert_eq!(record["small"], i64::MIN.to_string());
    assert_eq!(record["huge"], u128::MAX.to_string());
}

#[test]
fn a_panic_is_one_error_record() {
    let records = records_of("a_panic_is_one_error_record", || {
        let _caught = std::panic::catch_unwind(|| panic!("two\nlines"));
    });
    let [record] = records.as_slice() else { panic!("one record: {records:?}") };
    assert_eq!(
        (&record["@level"], &record["@message"]),
        (&"error".into(), &"panic: two\nlines".into())
    );
    assert!(record["location"].as_str().unwrap().contains("log.rs:"), "{record}");
    assert!(record["thread"].is_string());
}

#[test]
fn a_subscriber_that_the_program_set_stays() {
    let words = words_of("a_subscriber_that_the_program_set_stays", || {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
        outrigger_sdk::log::install();
        tracing::warn!("in its own way");
    });
    let line = words.lines().find(|line| line.contains("in its own way")).unwrap();
    assert!(line.contains("WARN") && !line.contains('{'), "{line}");
}

#[test]
fn a_reader_that_is_gone_is_no_panic() {
    if std::env::var_os(CHILD).is_some() {
        outrigger_sdk::log::install();
        // Told when the parent has closed the pipe.
        std::io::stdin().read_line(&mut String::new()).unwrap();
        tracing::error!("nobody reads this");
        std::process::exit(7);
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["a_reader_that_is_gone_is_no_panic", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
