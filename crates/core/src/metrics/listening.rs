//! Whose a port is. Blocks.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::tree::Processes;

/// Descriptors of one process that are looked at.
const MOST: usize = 65_536;

/// To whom a connection to a port of 127.0.0.1 leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// To the process, or one that descends from it, and to nobody else.
    Its,
    /// To somebody else too, or to whom cannot be seen.
    Anothers,
    /// Nobody listens.
    Nobodys,
}

/// What a plugin says of its port is not believed, since the host would ask there in its
/// place.
pub(crate) fn whose(pid: u32, port: u16) -> Whose {
    let reached: Vec<u64> = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .flat_map(|table| sockets(&fs::read_to_string(table).unwrap_or_default(), port))
        .collect();
    if reached.is_empty() {
        return Whose::Nobodys;
    }
    let members = Processes::read().members(pid, std::process::id());
    let own: HashSet<u64> = members.into_iter().flat_map(held).collect();
    if reached.iter().all(|socket| own.contains(socket)) { Whose::Its } else { Whose::Anothers }
}

/// Inodes of the sockets in a table of proc_pid_net(5) that listen at this port, and
/// that a connection to 127.0.0.1 may reach.
fn sockets(table: &str, port: u16) -> Vec<u64> {
    const LISTENS: &str = "0A";
    // As the kernel prints them on a machine of this byte order.
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let (any, loopback) = (word([0; 4]), word([127, 0, 0, 1]));
    let mapped = [word([0; 4]), word([0; 4]), word([0, 0, 255, 255])].concat();
    let reached =
        [any.clone(), loopback.clone(), any.repeat(4), mapped.clone() + &any, mapped + &loopback];
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (address, at) = fields.get(1)?.split_once(':')?;
        let here = u16::from_str_radix(at, 16) == Ok(port)
            && reached.iter().any(|known| known == address)
            && fields.get(3) == Some(&LISTENS);
        here.then(|| fields.get(9)?.parse().ok()).flatten()
    };
    table.lines().filter_map(of_line).collect()
}

/// Inodes of a process's sockets.
fn held(pid: u32) -> Vec<u64> {
    let directory = Path::new("/proc").join(pid.to_string()).join("fd");
    let open = fs::read_dir(directory).into_iter().flatten().flatten().take(MOST);
    let inode = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    open.filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_port_is_of_the_process_that_listens_there_and_of_no_other() {
        let own = std::process::id();
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert_eq!(
                (whose(own, port), whose(u32::MAX, port)),
                (Whose::Its, Whose::Anothers),
                "{address}"
            );
        }
        assert_eq!(whose(own, 0), Whose::Nobodys);
    }

    #[test]
    fn of_a_table_only_those_count_that_listen_where_the_host_asks() {
        let line = |address: &str, state: &str, inode: u32| {
            format!(
                "   0: {address}:1F90 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1\n"
            )
        };
        let table = [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n".to_owned(),
            line("0100007F", "0A", 1),
            line("00000000", "0A", 2),
            line("0100007F", "01", 3),
            line("0200007F", "0A", 4),
            line("00000000000000000000000000000000", "0A", 5),
            line("0000000000000000FFFF00000100007F", "0A", 6),
            line("00000000000000000000000001000000", "0A", 7),
            "cut off".to_owned(),
        ]
        .concat();
        if cfg!(target_endian = "little") {
            assert_eq!(sockets(&table, 8080), [1, 2, 5, 6]);
        }
        assert!(sockets(&table, 8081).is_empty());
    }
}
