//! The log on standard error, as far as it is in records.

use std::collections::HashMap;

use outrigger_proto::probe::LogRequest;
use serde_json::{Map, Value};

use super::cases;
use crate::plugin::bench::{Bench, Session};
use crate::plugin::outcome::{Outcome, Shortfall, answer, require};
use crate::plugin::survey::Need;
use crate::process::Seen;
use crate::wire::ANSWER;

cases! {
    "8.18" "log-in-records" Should [Probe]
        "its log is JSON records on standard error, with message, level and fields" => in_records;
    "8.19" "record-keys-are-strings" Must [Calls]
        "a record's `@message`, `@level` and `@timestamp` are strings" => strings;
    "8.19" "record-keys-not-replaced" Should [Probe]
        "fields called `@level` or `@timestamp` do not replace the record's own" => not_replaced;
    "8.20" "record-timestamp" Must [Calls]
        "a record's timestamp has six digits of a second, and a zone" => timestamp;
    "8.21" "record-level" Must [Calls]
        "a record's level is trace, debug, info, warn or error" => level;
    "8.22" "record-on-one-line" Must [Probe]
        "a record with a line break in its message is one line" => one_line;
}

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// The keys that hosts rely on.
const RESERVED: [&str; 3] = ["@message", "@level", "@timestamp"];

type Record = Map<String, Value>;

/// The records among some lines: JSON objects with one of the keys.
fn records(bytes: &[u8]) -> Vec<Record> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let objects = lines.filter_map(|line| serde_json::from_slice::<Record>(line).ok());
    objects.filter(|record| record.keys().any(|key| RESERVED.contains(&&**key))).collect()
}

async fn log(session: &Session, level: &str, message: &str, fields: &[(&str, &str)]) -> Outcome {
    let fields = fields.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    let fields: HashMap<String, String> = fields.collect();
    let request = LogRequest { level: level.into(), message: message.into(), fields };
    answer("Probe/Log", session.probe().log(request)).await.map(drop)
}

/// The record with a message, of a session's standard error.
async fn record(session: &Session, message: &str) -> Option<Record> {
    let wanted = |seen: &Seen| {
        let is = |record: &Record| record.get("@message").is_some_and(|found| found == message);
        records(&seen.bytes).into_iter().find(is)
    };
    session.started.process.stderr.wait_for(ANSWER, wanted).await
}

/// The records of a whole session in which everything is logged that can be.
async fn all(bench: &Bench) -> Outcome<Vec<Record>> {
    let session = bench.session().await?;
    if bench.survey.has(Need::Probe) {
        for level in LEVELS {
            log(&session, level, &format!("at {level}"), &[("key", "value")]).await?;
        }
        // Whatever came before is there when the last one is.
        let _last = record(&session, "at error").await;
    }
    let found = records(&session.started.process.stderr.so_far());
    if found.is_empty() {
        return Err(Shortfall::not_applicable("it wrote no record to standard error"));
    }
    Ok(found)
}

fn shown(record: &Record) -> String {
    Value::Object(record.clone()).to_string()
}

async fn in_records(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let message = "written by the conformance kit";
    log(&session, "warn", message, &[("who", "kit")]).await?;
    let Some(record) = record(&session, message).await else {
        let stderr = session.started.process.stderr.so_far();
        let text = String::from_utf8_lossy(&stderr).into_owned();
        return Err(Shortfall::seen(format!("no record of it; standard error: {text:?}")));
    };
    let right = record.get("@level").is_some_and(|level| level == "warn")
        && record.get("who").is_some_and(|who| who == "kit");
    require!(right, "{}", shown(&record));
    Ok(())
}

async fn strings(bench: &Bench) -> Outcome {
    for record in all(bench).await? {
        let strings = RESERVED.iter().all(|key| record.get(*key).is_some_and(Value::is_string));
        require!(strings, "{}", shown(&record));
    }
    Ok(())
}

async fn not_replaced(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let message = "with fields like its own";
    let fields = [("@level", "nothing"), ("@timestamp", "never")];
    log(&session, "info", message, &fields).await?;
    let Some(record) = record(&session, message).await else {
        return Err(Shortfall::not_applicable("it wrote no record of it"));
    };
    require!(has_level(&record) && has_time(&record), "{}", shown(&record));
    Ok(())
}

async fn timestamp(bench: &Bench) -> Outcome {
    for record in all(bench).await? {
        require!(has_time(&record), "{}", shown(&record));
    }
    Ok(())
}

async fn level(bench: &Bench) -> Outcome {
    for record in all(bench).await? {
        require!(has_level(&record), "{}", shown(&record));
    }
    Ok(())
}

async fn one_line(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let message = "two\nlines";
    log(&session, "info", message, &[]).await?;
    log(&session, "info", "the end", &[]).await?;
    let _end = record(&session, "the end").await;
    let stderr = session.started.process.stderr.so_far();
    if records(&stderr).is_empty() {
        return Err(Shortfall::not_applicable("it wrote no record to standard error"));
    }
    let whole = record(&session, message).await;
    require!(whole.is_some(), "{:?}", String::from_utf8_lossy(&stderr));
    Ok(())
}

fn has_level(record: &Record) -> bool {
    let level = record.get("@level").and_then(Value::as_str);
    level.is_some_and(|level| LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known)))
}

fn has_time(record: &Record) -> bool {
    record.get("@timestamp").and_then(Value::as_str).is_some_and(is_timestamp)
}

/// `2026-03-01T12:00:00.000250Z`, or with `+01:00`.
fn is_timestamp(text: &str) -> bool {
    const FORM: &str = "0000-00-00T00:00:00.000000";
    let fits = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
    };
    text.split_at_checked(FORM.len()).is_some_and(|(time, zone)| {
        fits(time, FORM) && (zone == "Z" || fits(zone, "+00:00") || fits(zone, "-00:00"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_six_digits_and_a_zone() {
        for good in ["2026-03-01T12:00:00.000250Z", "2026-03-01T12:00:00.000250-08:00"] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in [
            "2026-03-01T12:00:00.000Z",
            "2026-03-01T12:00:00.000000250Z",
            "2026-03-01T12:00:00.000250",
            "2026-03-01 12:00:00.000250Z",
            "",
        ] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }

    #[test]
    fn records_are_told_from_other_lines() {
        let bytes = b"plain\n{\"a\":1}\n[1]\n{\"@level\":\"info\"}\n{\"@message\":";
        assert_eq!(records(bytes).len(), 1);
    }
}
