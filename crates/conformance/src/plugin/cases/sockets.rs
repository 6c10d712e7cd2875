//! Unix sockets: where they are, whose they are, what they are called.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::{getegid, geteuid, getgroups};

use super::cases;
use crate::plugin::bench::{Bench, Started};
use crate::plugin::outcome::{Outcome, Shortfall, While as _, require};
use crate::wire::{SocketFile, dial};

cases! {
    "1.13" "socket-in-directory" Must [Unix]
        "the socket is in the directory of `PLUGIN_UNIX_SOCKET_DIR`" => in_directory;
    "1.13" "socket-in-temporary-directory" Should [Unix]
        "without that variable, or with an empty one, the socket is in `TMPDIR`" => in_temporary;
    "1.14" "socket-names-differ" Must [Unix Calls]
        "two processes of one directory listen at different sockets, and both answer" => differ;
    "1.14" "socket-replaces-no-file" Must [Unix]
        "a file of another process is not replaced by the socket" => replaces_nothing;
    "1.14" "socket-beside-leftovers" Must [Unix Calls]
        "it starts beside the socket of a process that was killed" => beside_leftovers;
    "1.15" "socket-group-by-number" Must [Unix]
        "the socket has the group of `PLUGIN_UNIX_SOCKET_GROUP`, a number, and mode 0660" => by_number;
    "1.15" "socket-group-by-name" Must [Unix]
        "the socket has the group of `PLUGIN_UNIX_SOCKET_GROUP`, a name, and mode 0660" => by_name;
    "1.15" "socket-group-unknown" Must [Unix]
        "no line if there is no group of that name" => unknown_group;
    "1.17" "socket-path-fits" Must [Unix]
        "a directory whose path is too long gives no line, or a socket that can be reached" => fits;
}

/// The longest path that Linux binds.
const LONGEST: usize = 107;

/// For a plugin that has nothing to do but to fail.
const SOON: Duration = Duration::from_secs(5);

async fn in_directory(bench: &Bench) -> Outcome {
    let started = bench.launch()?.start().await?;
    is_in(bench.socket(&started)?, &started.sockets)?;
    started.dial().await.map(drop)
}

async fn in_temporary(bench: &Bench) -> Outcome {
    let launches = [
        bench.launch()?.unset("PLUGIN_UNIX_SOCKET_DIR"),
        bench.launch()?.set("PLUGIN_UNIX_SOCKET_DIR", ""),
    ];
    for launch in launches {
        let started = launch.start().await?;
        let socket = bench.socket(&started)?;
        let _removed = SocketFile(socket.to_owned());
        is_in(socket, &started.temporary)?;
        let _there = started.dial().await?;
    }
    Ok(())
}

fn is_in(socket: &Path, directory: &Path) -> Outcome {
    let parent = socket.parent().unwrap_or(socket);
    let same = parent == directory || parent.canonicalize().ok() == directory.canonicalize().ok();
    require!(same, "{} is not in {}", socket.display(), directory.display());
    Ok(())
}

async fn differ(bench: &Bench) -> Outcome {
    let directory = bench.new_directory("shared")?;
    let first = bench.launch()?.sockets_in(&directory).session().await?;
    let second = bench.launch()?.sockets_in(&directory).session().await?;
    let (one, other) = (&first.started.address, &second.started.address);
    require!(one != other, "both are at {one}");
    first.ping("of the first, once the second serves").await?;
    // A new connection shows whose socket the file is now.
    let again = first.started.connect().await?;
    let answered = crate::wire::ping(&again).await;
    require!(answered.is_ok(), "the first cannot be reached any more: {answered:?}");
    Ok(())
}

async fn replaces_nothing(bench: &Bench) -> Outcome {
    const CONTENT: &[u8] = b"of another process";
    let first = bench.launch()?.start().await?;
    let name = bench.socket(&first)?.file_name().unwrap_or_default().to_owned();
    drop(first);
    let directory = bench.new_directory("taken")?;
    let taken = directory.join(&name);
    std::fs::write(&taken, CONTENT)?;
    // It may refuse to start; it may not take the name.
    let second = bench.launch()?.sockets_in(&directory).start().await;
    let kept = std::fs::read(&taken).is_ok_and(|content| content == CONTENT);
    require!(kept, "{} was there, and is no more", taken.display());
    second.map(drop)
}

async fn beside_leftovers(bench: &Bench) -> Outcome {
    let directory = bench.new_directory("left")?;
    let first = bench.launch()?.sockets_in(&directory).start().await?;
    drop(first);
    bench.launch()?.sockets_in(&directory).session().await.map(drop)
}

async fn by_number(bench: &Bench) -> Outcome {
    let (number, _) = group()?;
    has_group(bench, &number.to_string().into(), number).await
}

async fn by_name(bench: &Bench) -> Outcome {
    let (number, name) = group()?;
    let name = name.ok_or_else(|| Shortfall::not_applicable("no group of this user has a name"))?;
    has_group(bench, &name.into(), number).await
}

async fn has_group(bench: &Bench, text: &OsString, number: u32) -> Outcome {
    let started = bench.launch()?.set("PLUGIN_UNIX_SOCKET_GROUP", text).start().await?;
    let _there = started.dial().await?;
    let socket = bench.socket(&started)?.metadata().during("looking at its socket")?;
    let (gid, mode) = (socket.gid(), socket.mode() & 0o777);
    require!(gid == number, "its group is {gid}, and {number} was asked for");
    require!(mode == 0o660, "its mode is {mode:04o}");
    Ok(())
}

async fn unknown_group(bench: &Bench) -> Outcome {
    let launch = bench.launch()?.set("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group-here");
    launch.refused(SOON).await.map(drop)
}

/// A group that the socket would not have by itself, if this user has one.
pub(super) fn group() -> Outcome<(u32, Option<String>)> {
    let own = getegid().as_raw();
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let named = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?.parse::<u32>().ok()?);
        Some((number, name.to_owned()))
    });
    let named: Vec<(u32, String)> = named.collect();
    let mine: Vec<u32> = getgroups()?.iter().map(|group| group.as_raw()).collect();
    let may = |number: &u32| *number != own && (geteuid().is_root() || mine.contains(number));
    let chosen = named.iter().map(|(number, _)| *number).chain(mine.iter().copied()).find(may);
    let number = chosen.unwrap_or(own);
    let name = named.into_iter().find(|(known, _)| *known == number);
    Ok((number, name.map(|(_, name)| name)))
}

async fn fits(bench: &Bench) -> Outcome {
    let directory = bench.new_directory("long")?.join("d".repeat(LONGEST));
    std::fs::create_dir(&directory)?;
    let process = bench.launch()?.set("PLUGIN_UNIX_SOCKET_DIR", &directory).start().await;
    let started: Started = match process {
        Ok(started) => started,
        // No line is an answer.
        Err(_) => return Ok(()),
    };
    let socket = bench.socket(&started)?;
    let _removed = SocketFile(socket.to_owned());
    let length = socket.as_os_str().len();
    require!(length <= LONGEST, "it printed a path of {length} bytes");
    let reached = dial(&started.address).await;
    require!(reached.is_ok(), "{}: {reached:?}", socket.display(), reached = reached.err());
    Ok(())
}
