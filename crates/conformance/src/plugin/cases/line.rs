//! The handshake line.

use std::net::IpAddr;
use std::time::Duration;

use super::cases;
use crate::plugin::bench::{Bench, Launch, Started};
use crate::plugin::line::{Line, LineEnd};
use crate::plugin::outcome::{Outcome, Shortfall, require};
use crate::process::Seen;
use crate::wire::{Address, dial};

cases! {
    "2.1" "line-comes" Must []
        "a handshake line on standard output, in the time that a start may take" => comes;
    "2.1" "line-ends-with-lf" Must []
        "the line is ended by LF alone, and flushed" => ends;
    "2.1" "line-comes-once" Must []
        "no second handshake line, whatever else is printed later" => once;
    "2.2" "line-comes-first" Must []
        "nothing on standard output before the line" => first;
    "2.3" "listens-by-the-line" Must []
        "a connection is accepted as soon as the line is there" => listens;
    "2.4" "line-has-five-fields" Must []
        "at least five fields, separated by single bars, without control characters" => fields;
    "2.5" "line-core-version" Must []
        "field 1 is `1`" => core;
    "2.6" "line-app-version" Must []
        "field 2 is a version in plain decimal digits" => app;
    "2.7" "line-network" Must []
        "field 3 is `unix` or `tcp`" => network;
    "2.8" "line-address" Must []
        "field 4 is an absolute path, or a loopback address with a port" => address;
    "2.9" "line-protocol" Must []
        "field 5 is `grpc`" => protocol;
    "2.10" "line-certificate" Must [Tls]
        "under AutoMTLS field 6 is base64 in the standard alphabet, without padding" => certificate;
    "2.11" "line-no-certificate" Must []
        "without AutoMTLS field 6 is empty, or not there" => no_certificate;
    "2.12" "line-no-seventh-field" Must []
        "no field 7 unless `PLUGIN_MULTIPLEX_GRPC` is set" => no_seventh;
    "2.12" "line-no-seventh-field-if-empty" Must []
        "no field 7 if `PLUGIN_MULTIPLEX_GRPC` is empty" => no_seventh_if_empty;
    "8.11" "output-silent-after-line" Should [Calls]
        "nothing on standard output after the line: it is lost there" => silent;
}

async fn start(bench: &Bench) -> Outcome<Started> {
    bench.launch()?.start().await
}

/// A field as it was printed.
async fn field(bench: &Bench, number: usize) -> Outcome<String> {
    Ok(start(bench).await?.line.field(number).to_owned())
}

async fn comes(bench: &Bench) -> Outcome {
    match &bench.survey.no_line {
        Some(why) => Err(Shortfall::seen(why)),
        None => start(bench).await.map(drop),
    }
}

async fn ends(bench: &Bench) -> Outcome {
    let end = start(bench).await?.line.end;
    require!(end != LineEnd::CrLf, "it ended with CR LF");
    require!(end == LineEnd::Lf, "the line came, and no LF after it");
    Ok(())
}

async fn once(bench: &Bench) -> Outcome {
    let started = start(bench).await?;
    let after = later_output(&started).await;
    let second = Line::find(&after, true).filter(|line| line.field(3) == started.line.field(3));
    require!(second.is_none(), "it printed {:?} as well", String::from_utf8_lossy(&after));
    Ok(())
}

async fn first(bench: &Bench) -> Outcome {
    let before = start(bench).await?.line.before;
    require!(before.is_empty(), "before it came {:?}", String::from_utf8_lossy(&before));
    Ok(())
}

async fn listens(bench: &Bench) -> Outcome {
    let started = start(bench).await?;
    match dial(&started.address).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Shortfall::seen(format!("{}: {error}", started.address))),
    }
}

async fn fields(bench: &Bench) -> Outcome {
    let line = start(bench).await?.line;
    require!(line.fields.len() > 4, "{} fields: {:?}", line.fields.len(), line.shown());
    require!(!line.text.chars().any(char::is_control), "control characters: {:?}", line.shown());
    Ok(())
}

async fn core(bench: &Bench) -> Outcome {
    let core = field(bench, 1).await?;
    require!(core == "1", "`{core}`");
    Ok(())
}

async fn app(bench: &Bench) -> Outcome {
    let app = field(bench, 2).await?;
    let digits = !app.is_empty() && app.bytes().all(|byte| byte.is_ascii_digit());
    require!(digits, "`{app}`");
    require!(app.parse::<i32>().is_ok(), "`{app}`, which is larger than 2147483647");
    Ok(())
}

async fn network(bench: &Bench) -> Outcome {
    let network = field(bench, 3).await?;
    require!(matches!(&*network, "unix" | "tcp"), "`{network}`");
    Ok(())
}

async fn address(bench: &Bench) -> Outcome {
    let started = start(bench).await?;
    let text = started.line.field(4);
    match &started.address {
        Address::Unix(_) => require!(text.starts_with('/'), "`{text}` is no absolute path"),
        Address::Tcp(_) => {
            let host = text.rsplit_once(':').map_or("", |(host, _)| host);
            let host: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
            require!(
                host.is_some_and(|host| host.is_loopback()),
                "`{text}` is no loopback address"
            );
        }
    }
    Ok(())
}

async fn protocol(bench: &Bench) -> Outcome {
    let protocol = field(bench, 5).await?;
    require!(protocol == "grpc", "`{protocol}`");
    Ok(())
}

async fn certificate(bench: &Bench) -> Outcome {
    let text = field(bench, 6).await?;
    let strange = text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/'));
    require!(strange.is_none(), "{strange:?} in it, of {} characters", text.len());
    Ok(())
}

async fn no_certificate(bench: &Bench) -> Outcome {
    let line = bench.launch_plain().start().await?.line;
    let text = line.field(6);
    require!(text.is_empty(), "it has {} characters: {}", text.len(), line.shown());
    Ok(())
}

async fn no_seventh(bench: &Bench) -> Outcome {
    six_fields(bench.launch()?).await
}

async fn no_seventh_if_empty(bench: &Bench) -> Outcome {
    six_fields(bench.launch()?.set("PLUGIN_MULTIPLEX_GRPC", "")).await
}

async fn six_fields(launch: Launch<'_>) -> Outcome {
    let line = launch.start().await?.line;
    require!(line.fields.len() < 7, "field 7 is `{}`", line.field(7));
    Ok(())
}

async fn silent(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    for _ in 0..3 {
        session.ping("after the line").await?;
    }
    let after = later_output(&session.started).await;
    require!(after.is_empty(), "{:?}", String::from_utf8_lossy(&after));
    Ok(())
}

/// What follows the line on standard output, in a while.
async fn later_output(started: &Started) -> Vec<u8> {
    const A_WHILE: Duration = Duration::from_millis(300);
    let until = started.line.before.len() + started.line.text.len() + 1;
    let more = |seen: &Seen| (seen.bytes.len() > until + 1).then_some(());
    let _more = started.process.stdout.wait_for(A_WHILE, more).await;
    let output = started.process.stdout.so_far();
    let after = output.get(until..).unwrap_or_default();
    after.strip_prefix(b"\n").unwrap_or(after).to_owned()
}
