//! What surrounds the process: standard input, working directory, a start that
//! cannot succeed, a host that is gone.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use rustix::io::ioctl_fionread;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal};

use super::cases;
use crate::plugin::bench::{Bench, Session};
use crate::plugin::outcome::{Outcome, Shortfall, require};
use crate::plugin::survey::Need;
use crate::process::{Ended, Seen, Watched};

cases! {
    "1.20" "stdin-left-alone" Must [Calls]
        "what is on standard input is not read, and its end ends nothing" => stdin;
    "1.21" "any-working-directory" Should [Calls]
        "it serves when it is started in `/`" => anywhere;
    "2.14" "failed-start-explained" Should []
        "a start without a place to listen: no line, words on standard error, a status but 0" => explained;
    "9.13" "ends-with-host" Should [Calls]
        "it ends when its host was killed" => with_host;
}

/// For what happens at once or never.
const A_WHILE: Duration = Duration::from_millis(500);

/// From the host's death on.
const BEREAVED: Duration = Duration::from_secs(10);

async fn stdin(bench: &Bench) -> Outcome {
    const TYPED: &[u8] = b"typed for the host\n";
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut write = std::fs::File::from(write);
    write.write_all(TYPED)?;
    let theirs = read.try_clone()?;
    let session = bench.launch()?.reading(theirs).session().await?;
    drop(write);
    let ended = session.started.process.ended(A_WHILE).await;
    require!(ended.is_none(), "standard input was closed, and it {}", ended_text(ended));
    session.ping("after standard input was closed").await?;
    let unread = ioctl_fionread(&read)?;
    require!(unread == TYPED.len() as u64, "of {} bytes {unread} are left", TYPED.len());
    Ok(())
}

async fn anywhere(bench: &Bench) -> Outcome {
    bench.launch()?.working_in(Path::new("/")).session().await.map(drop)
}

async fn explained(bench: &Bench) -> Outcome {
    const SOON: Duration = Duration::from_secs(10);
    let launch = bench.launch()?;
    let launch = if bench.survey.has(Need::Tcp) {
        launch.set("PLUGIN_MIN_PORT", "25000").set("PLUGIN_MAX_PORT", "10000")
    } else {
        launch.set("PLUGIN_UNIX_SOCKET_DIR", "/nonexistent/directory")
    };
    let process = launch.refused(SOON).await?;
    let ended = process.ended(SOON).await;
    require!(ended.is_some() && ended != Some(Ended::Exit(0)), "it {}", ended_text(ended));
    let said = |seen: &Seen| (!seen.bytes.is_empty()).then_some(());
    let said = process.stderr.wait_for(SOON, said).await;
    require!(said.is_some(), "it {} without a word", ended_text(ended));
    Ok(())
}

fn ended_text(ended: Option<Ended>) -> String {
    ended.map_or("runs on".into(), |ended| ended.to_string())
}

async fn with_host(bench: &Bench) -> Outcome {
    let note = bench.new_directory("host")?.join("pid");
    let Session { started, channel } = bench.launch()?.under_a_host(&note).session().await?;
    let pid = std::fs::read_to_string(&note)?;
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Shortfall::not_applicable("its process was not found"))?;
    let plugin = Watched::new(pid)?;
    // A dead host's ends of everything are closed.
    let mut host = started.process;
    host.signal(Signal::KILL);
    drop(channel);
    host.stdout.close().await;
    host.stderr.close().await;
    let ended = tokio::time::timeout(BEREAVED, plugin.end()).await;
    require!(ended.is_ok(), "it still runs {BEREAVED:?} later");
    Ok(())
}
