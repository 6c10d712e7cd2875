//! What an archive holds, after every byte of it was accounted for.

use std::io::{BufReader, Read};

use super::Fault;
use super::name::{self, Tree};
use super::records::{self, Central, END_LEN, End, Local};
use super::refusal::{EntryKindProblem, Refusal};
use crate::limits::Limits;
use crate::snapshot::Snapshot;

const DOS_VOLUME_LABEL: u32 = 0x08;
const DOS_DIRECTORY: u32 = 0x10;
const DOS_DEVICE: u32 = 0x40;
const MODE_TYPE: u32 = 0o170_000;
const MODE_FILE: u32 = 0o100_000;
const MODE_DIRECTORY: u32 = 0o040_000;

/// A file or directory in an archive. Its name has passed the name rules.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Components joined by `/`, also for a directory without a slash at the
    /// end.
    pub name: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether the archive gives anybody the right to execute it.
    pub executable: bool,
    /// Unpacked size in bytes.
    pub size: u64,
    /// Size within the archive in bytes.
    pub compressed_size: u64,
    pub(crate) raw_name: Vec<u8>,
    pub(crate) crc: u32,
    pub(crate) offset: u64,
}

/// Reads and checks the structure of an archive. The entries come in the order
/// of its directory.
pub(crate) fn read(snapshot: &Snapshot, limits: &Limits) -> Result<Vec<Entry>, Fault> {
    let end = End::read(snapshot)?;
    if end.entries > limits.entries {
        return Err(too_many(end.entries, limits).into());
    }
    let end_offset = snapshot.len() - END_LEN;
    match (end.offset + end.size).cmp(&end_offset) {
        std::cmp::Ordering::Less => {
            // Offsets that start at a second archive, or a self-extractor's.
            let bytes = end_offset - end.offset - end.size;
            return Err(Refusal::DataBefore { bytes }.into());
        }
        std::cmp::Ordering::Greater => {
            return Err(Refusal::Directory { offset: end.offset }.into());
        }
        std::cmp::Ordering::Equal => {}
    }
    let records = read_directory(snapshot, &end)?;
    let mut tree = Tree::new(limits.entries);
    let mut total = 0;
    let mut entries = Vec::with_capacity(records.len());
    for record in &records {
        let entry = check_record(record, limits)?;
        tree.insert(&name::Name { path: entry.name.clone(), directory: entry.directory })?;
        total += entry.size;
        if total > limits.total_bytes {
            return Err(Refusal::TotalTooLarge { size: total, limit: limits.total_bytes }.into());
        }
        entries.push(entry);
    }
    check_positions(snapshot, &records, &entries, end.offset)?;
    Ok(entries)
}

fn too_many(count: usize, limits: &Limits) -> Refusal {
    Refusal::TooManyEntries { count, limit: limits.entries }
}

fn read_directory(snapshot: &Snapshot, end: &End) -> Result<Vec<Central>, Fault> {
    let mut reader = BufReader::new(snapshot.reader(end.offset).take(end.size));
    let mut records = Vec::with_capacity(end.entries);
    let mut at = 0;
    for _ in 0..end.entries {
        let record = Central::read(&mut reader, end.offset + at)?;
        at += record.len;
        records.push(record);
    }
    if at != end.size {
        return Err(Refusal::Directory { offset: end.offset + at }.into());
    }
    Ok(records)
}

/// Judges what one directory record says, by itself.
fn check_record(record: &Central, limits: &Limits) -> Result<Entry, Refusal> {
    let parsed = name::parse(&record.name, limits.depth)?;
    let name = parsed.path;
    check_flags(record, &name)?;
    if !matches!(record.method, records::STORED | records::DEFLATED) {
        return Err(Refusal::Method { name, method: record.method });
    }
    if let Err(id) = records::check_extra(&record.extra, false) {
        return Err(Refusal::ExtraField { name, id });
    }
    if let Some(problem) = kind_problem(record, parsed.directory) {
        return Err(Refusal::Kind { name, problem });
    }
    if record.method == records::STORED && record.compressed != record.size {
        return Err(Refusal::Size { name, declared: record.size });
    }
    if record.size > limits.file_bytes {
        return Err(Refusal::FileTooLarge { name, size: record.size, limit: limits.file_bytes });
    }
    if record.size > limits.ratio_allowance_bytes
        && record.size > record.compressed.saturating_mul(limits.ratio)
    {
        return Err(Refusal::Ratio { name, limit: limits.ratio });
    }
    Ok(Entry {
        name,
        directory: parsed.directory,
        executable: (record.attributes >> 16) & 0o111 != 0,
        size: record.size,
        compressed_size: record.compressed,
        raw_name: record.name.clone(),
        crc: record.crc,
        offset: record.offset,
    })
}

fn check_flags(record: &Central, name: &str) -> Result<(), Refusal> {
    let encrypted =
        records::FLAG_ENCRYPTED | records::FLAG_STRONG_ENCRYPTION | records::FLAG_MASKED;
    if record.flags & encrypted != 0 {
        return Err(Refusal::Encrypted { name: name.to_owned() });
    }
    let known = records::FLAGS_DEFLATE | records::FLAG_DESCRIPTOR | records::FLAG_UTF8;
    match record.flags & !known {
        0 => Ok(()),
        flags => Err(Refusal::Flags { name: name.to_owned(), flags }),
    }
}

/// Attributes carry a Unix mode in the upper half and DOS bits in the lower;
/// writers fill in both, one or none, and name the system wrongly, so whatever
/// is there must fit.
fn kind_problem(record: &Central, directory: bool) -> Option<EntryKindProblem> {
    let dos = record.attributes;
    let by_mode = match (record.attributes >> 16) & MODE_TYPE {
        0 => None,
        MODE_FILE => Some(false),
        MODE_DIRECTORY => Some(true),
        0o120_000 => return Some(EntryKindProblem::SymbolicLink),
        0o020_000 | 0o060_000 => return Some(EntryKindProblem::Device),
        0o010_000 => return Some(EntryKindProblem::Pipe),
        0o140_000 => return Some(EntryKindProblem::Socket),
        _ => return Some(EntryKindProblem::Unknown),
    };
    if dos & (DOS_VOLUME_LABEL | DOS_DEVICE) != 0 {
        return Some(EntryKindProblem::Unknown);
    }
    let directory_bit = dos & DOS_DIRECTORY != 0;
    if directory && by_mode == Some(false) {
        return Some(EntryKindProblem::DirectoryByNameOnly);
    }
    if !directory && (by_mode == Some(true) || directory_bit) {
        return Some(EntryKindProblem::DirectoryByAttributesOnly);
    }
    (directory && record.size != 0).then_some(EntryKindProblem::DirectoryWithData)
}

/// Walks the entries in the order of their data, from the archive's first byte
/// to its directory, without a byte left over or used twice.
fn check_positions(
    snapshot: &Snapshot,
    records: &[Central],
    entries: &[Entry],
    directory: u64,
) -> Result<(), Fault> {
    let mut order: Vec<_> = records.iter().zip(entries).collect();
    order.sort_by_key(|(record, _)| record.offset);
    let mut position = 0;
    for (index, (record, entry)) in order.iter().enumerate() {
        let name = || entry.name.clone();
        if record.offset < position {
            return Err(Refusal::Overlap { name: name() }.into());
        }
        if record.offset > position {
            return Err(gap(position, record.offset).into());
        }
        let Some(local) = Local::read(snapshot, record.offset)? else {
            return Err(Refusal::NoLocalHeader { name: name() }.into());
        };
        compare(record, &local, &entry.name)?;
        let data_end = record.offset + local.len + record.compressed;
        let next = order.get(index + 1).map_or(directory, |(next, _)| next.offset);
        if data_end > next {
            let name = order.get(index + 1).map_or_else(name, |(_, next)| next.name.clone());
            return Err(Refusal::Overlap { name }.into());
        }
        position = data_end;
        if record.flags & records::FLAG_DESCRIPTOR != 0 {
            position += descriptor(snapshot, record, data_end, next - data_end)
                .ok_or_else(|| Refusal::Descriptor { name: name() })?;
        }
    }
    if position != directory {
        return Err(gap(position, directory).into());
    }
    Ok(())
}

fn gap(offset: u64, next: u64) -> Refusal {
    match offset {
        0 => Refusal::DataBefore { bytes: next },
        _ => Refusal::Gap { offset, bytes: next - offset },
    }
}

/// The length of the descriptor that fills the space behind an entry's data.
fn descriptor(snapshot: &Snapshot, record: &Central, offset: u64, space: u64) -> Option<u64> {
    let longest = 24;
    let mut bytes = vec![0; usize::try_from(space).ok().filter(|space| *space <= longest)?];
    snapshot.read_exact_at(&mut bytes, offset).ok()?;
    records::is_descriptor(&bytes, record).then_some(space)
}

/// Readers that go through the archive from its start believe the local header,
/// so it must say what the directory says.
fn compare(record: &Central, local: &Local, name: &str) -> Result<(), Refusal> {
    let differs = |field| Err(Refusal::LocalHeader { name: name.to_owned(), field });
    if local.name != record.name {
        return differs("name");
    }
    if local.flags != record.flags {
        return differs("set of flags");
    }
    if local.method != record.method {
        return differs("compression method");
    }
    if let Err(id) = records::check_extra(&local.extra, true) {
        return Err(Refusal::ExtraField { name: name.to_owned(), id });
    }
    let deferred = local.flags & records::FLAG_DESCRIPTOR != 0;
    let same = |local: u64, central: u64| local == central || (deferred && local == 0);
    if !same(local.crc.into(), record.crc.into()) {
        return differs("checksum");
    }
    // With a descriptor to follow, some writers fill the sizes with ones.
    let unknown = deferred && [local.size, local.compressed] == [u64::from(u32::MAX); 2];
    if unknown || (same(local.size, record.size) && same(local.compressed, record.compressed)) {
        return Ok(());
    }
    differs("size")
}
