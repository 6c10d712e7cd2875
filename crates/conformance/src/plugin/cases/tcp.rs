//! Listening on TCP: which addresses, which ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use super::cases;
use crate::plugin::bench::{Bench, Launch, Started};
use crate::plugin::outcome::{Outcome, Shortfall, require};
use crate::wire::Address;

cases! {
    "1.16" "tcp-loopback-only" Must [Tcp]
        "it listens on a loopback address, and on no other" => loopback;
    "1.16" "tcp-port-in-range" Must [Tcp]
        "its port is from `PLUGIN_MIN_PORT` to `PLUGIN_MAX_PORT`" => in_range;
    "1.16" "tcp-busy-port-passed-over" Must [Tcp]
        "a port of the range that is in use is passed over" => passed_over;
    "1.16" "tcp-any-port" Must [Tcp]
        "without both variables, or with empty ones, it listens on some port" => any_port;
    "1.18" "tcp-bad-range" Must [Tcp]
        "a smallest port above the largest, or no number: no line, and an end" => bad_range;
}

/// Ports that a range of a case has.
const PORTS: u16 = 10;

const SOON: Duration = Duration::from_secs(10);

async fn loopback(bench: &Bench) -> Outcome {
    let started = bench.launch()?.start().await?;
    let address = tcp(&started)?;
    require!(address.ip().is_loopback(), "{address}");
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let open = std::fs::read_to_string(table).unwrap_or_default();
        let open = open.lines().find(|line| listens_openly(line, address.port()));
        require!(open.is_none(), "its port is open to other machines as well: {open:?}");
    }
    Ok(())
}

/// Whether a line of the system's table is a listener on that port, of an
/// address that is not loopback.
fn listens_openly(line: &str, port: u16) -> bool {
    let mut fields = line.split_whitespace().skip(1);
    let (Some(local), Some(state)) = (fields.next(), fields.nth(1)) else { return false };
    let Some((ip, local_port)) = local.split_once(':') else { return false };
    let is_loopback = ip.ends_with("7F") && ip.len() == 8
        || ip == "00000000000000000000000001000000"
        || ip.starts_with("0000000000000000FFFF0000") && ip.ends_with("7F");
    state == "0A" && u16::from_str_radix(local_port, 16) == Ok(port) && !is_loopback
}

async fn in_range(bench: &Bench) -> Outcome {
    let (first, last) = range(&TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?)?;
    let started = with_range(bench, first, last)?.start().await?;
    let port = tcp(&started)?.port();
    require!((first..=last).contains(&port), "port {port} is not from {first} to {last}");
    Ok(())
}

async fn passed_over(bench: &Bench) -> Outcome {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (first, last) = range(&busy)?;
    let started = with_range(bench, first, last)?.start().await?;
    let port = tcp(&started)?.port();
    require!((first + 1..=last).contains(&port), "port {port} is not from {first} to {last}");
    Ok(())
}

async fn any_port(bench: &Bench) -> Outcome {
    let launches = [
        bench.launch()?.unset("PLUGIN_MIN_PORT").unset("PLUGIN_MAX_PORT"),
        bench.launch()?.set("PLUGIN_MIN_PORT", "").set("PLUGIN_MAX_PORT", ""),
    ];
    for launch in launches {
        let port = tcp(&launch.start().await?)?.port();
        require!(port != 0, "it printed port 0");
    }
    Ok(())
}

async fn bad_range(bench: &Bench) -> Outcome {
    for (first, last) in [("25000", "10000"), ("low", "25000"), ("10000", "high")] {
        let launch = bench.launch()?.set("PLUGIN_MIN_PORT", first).set("PLUGIN_MAX_PORT", last);
        let process = launch.refused(SOON).await?;
        let ended = process.ended(SOON).await;
        require!(ended.is_some(), "with {first} to {last} it runs on without a line");
    }
    Ok(())
}

/// Some ports from that of `first` on.
fn range(first: &TcpListener) -> Outcome<(u16, u16)> {
    let first = first.local_addr()?.port();
    match first.checked_add(PORTS) {
        Some(last) => Ok((first, last)),
        None => Err(Shortfall::not_applicable("the system gave none but the last ports")),
    }
}

fn with_range(bench: &Bench, first: u16, last: u16) -> Outcome<Launch<'_>> {
    let launch = bench.launch()?.set("PLUGIN_MIN_PORT", first.to_string());
    Ok(launch.set("PLUGIN_MAX_PORT", last.to_string()))
}

fn tcp(started: &Started) -> Outcome<SocketAddr> {
    match started.address {
        Address::Tcp(address) => Ok(address),
        Address::Unix(_) => Err(Shortfall::not_applicable("it listens on a Unix socket")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_for_everybody_are_told_from_those_on_loopback() {
        let line = |local: &str, state: &str| {
            listens_openly(&format!("   0: {local} 00000000:0000 {state} 00000000:00000000 "), 8080)
        };
        assert!(line("00000000:1F90", "0A"));
        assert!(line("00000000000000000000000000000000:1F90", "0A"));
        assert!(!line("0100007F:1F90", "0A"));
        assert!(!line("00000000000000000000000001000000:1F90", "0A"));
        assert!(!line("0000000000000000FFFF00000100007F:1F90", "0A"));
        assert!(!line("00000000:1F90", "01"), "a connection is no listener");
        assert!(!line("00000000:1F91", "0A"));
    }
}
