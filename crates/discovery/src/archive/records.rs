//! The zip format's records, read byte by byte.
//!
//! The zip library finds these too, but forgives much. Reading them ourselves
//! shows every byte of the archive to belong to exactly one record.

use std::io::{self, Read};

use super::Fault;
use super::refusal::Refusal;
use crate::snapshot::Snapshot;

pub(crate) const END_LEN: u64 = 22;
pub(crate) const STORED: u16 = 0;
pub(crate) const DEFLATED: u16 = 8;
pub(crate) const FLAG_ENCRYPTED: u16 = 1;
pub(crate) const FLAG_DESCRIPTOR: u16 = 1 << 3;
pub(crate) const FLAG_STRONG_ENCRYPTION: u16 = 1 << 6;
pub(crate) const FLAG_UTF8: u16 = 1 << 11;
pub(crate) const FLAG_MASKED: u16 = 1 << 13;
/// The two bits with which a deflater notes how hard it tried.
pub(crate) const FLAGS_DEFLATE: u16 = 0b110;

const END_MAGIC: [u8; 4] = *b"PK\x05\x06";
const ZIP64_LOCATOR_MAGIC: [u8; 4] = *b"PK\x06\x07";
const ZIP64_LOCATOR_LEN: u64 = 20;
const CENTRAL_MAGIC: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_LEN: usize = 46;
const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LEN: usize = 30;
const DESCRIPTOR_MAGIC: [u8; 4] = *b"PK\x07\x08";
const EXTRA_ZIP64: u16 = 0x0001;
const EXTRA_AES: u16 = 0x9901;
/// A second name, and two fields that can hold a link's target.
const EXTRA_FORBIDDEN: [u16; 3] = [0x7075, 0x756e, 0x000d];

/// The record that ends an archive.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) entries: usize,
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

impl End {
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self, Fault> {
        let Some(at) = snapshot.len().checked_sub(END_LEN) else {
            return Err(Refusal::NotAZip.into());
        };
        let mut record = [0; END_LEN as usize];
        snapshot.read_exact_at(&mut record, at)?;
        if record[..4] != END_MAGIC {
            return Err(Self::explain_absence(snapshot)?.into());
        }
        if u16_at(&record, 20) != 0 {
            // A comment that the file is too short for.
            return Err(Refusal::NotAZip.into());
        }
        if Self::has_zip64_locator(snapshot, at)? {
            return Err(Refusal::Zip64.into());
        }
        let [disk, start_disk, here, total] = [4, 6, 8, 10].map(|at| u16_at(&record, at));
        let [size, offset] = [12, 16].map(|at| u32_at(&record, at));
        if total == u16::MAX || size == u32::MAX || offset == u32::MAX {
            return Err(Refusal::Zip64.into());
        }
        if disk != 0 || start_disk != 0 || here != total {
            return Err(Refusal::MultiVolume.into());
        }
        Ok(Self { entries: total.into(), size: size.into(), offset: offset.into() })
    }

    /// Without an end record at the very end: is there one farther in?
    fn explain_absence(snapshot: &Snapshot) -> io::Result<Refusal> {
        let longest = END_LEN + u64::from(u16::MAX);
        let start = snapshot.len().saturating_sub(longest);
        let mut tail = Vec::new();
        snapshot.reader(start).read_to_end(&mut tail)?;
        let found = tail
            .windows(END_LEN as usize)
            .rposition(|window| window[..4] == END_MAGIC)
            .map(|at| &tail[at..]);
        let Some(record) = found else {
            return Ok(Refusal::NotAZip);
        };
        let behind = (record.len() - END_LEN as usize) as u64;
        let comment = u64::from(u16::from_le_bytes([record[20], record[21]]));
        Ok(if comment == behind {
            Refusal::Comment { bytes: comment }
        } else {
            Refusal::DataAfter { bytes: behind }
        })
    }

    fn has_zip64_locator(snapshot: &Snapshot, end: u64) -> io::Result<bool> {
        let Some(at) = end.checked_sub(ZIP64_LOCATOR_LEN) else {
            return Ok(false);
        };
        let mut magic = [0; 4];
        snapshot.read_exact_at(&mut magic, at)?;
        Ok(magic == ZIP64_LOCATOR_MAGIC)
    }
}

/// One record of the directory.
#[derive(Debug)]
pub(crate) struct Central {
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) compressed: u64,
    pub(crate) size: u64,
    pub(crate) name: Vec<u8>,
    pub(crate) extra: Vec<u8>,
    pub(crate) attributes: u32,
    pub(crate) offset: u64,
    /// Length of the whole record in bytes.
    pub(crate) len: u64,
}

impl Central {
    /// Reads the next record; `at` is its offset, for the error.
    pub(crate) fn read(reader: &mut impl Read, at: u64) -> Result<Self, Fault> {
        let damaged = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::Refused(Refusal::Directory { offset: at }),
            _ => Fault::Io(error),
        };
        let mut record = [0; CENTRAL_LEN];
        reader.read_exact(&mut record).map_err(damaged)?;
        if record[..4] != CENTRAL_MAGIC {
            return Err(Refusal::Directory { offset: at }.into());
        }
        let mut field = |at| {
            let mut bytes = vec![0; u16_at(&record, at).into()];
            reader.read_exact(&mut bytes).map(|()| bytes).map_err(damaged)
        };
        let name = field(28)?;
        let extra = field(30)?;
        let comment = field(32)?;
        if u16_at(&record, 34) != 0 {
            return Err(Refusal::MultiVolume.into());
        }
        let [crc, compressed, size, attributes, offset] =
            [16, 20, 24, 38, 42].map(|at| u32_at(&record, at));
        if compressed == u32::MAX || size == u32::MAX || offset == u32::MAX {
            return Err(Refusal::Zip64.into());
        }
        Ok(Self {
            flags: u16_at(&record, 8),
            method: u16_at(&record, 10),
            crc,
            compressed: compressed.into(),
            size: size.into(),
            len: (CENTRAL_LEN + name.len() + extra.len() + comment.len()) as u64,
            name,
            extra,
            attributes,
            offset: offset.into(),
        })
    }
}

/// The header in front of an entry's data.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) compressed: u64,
    pub(crate) size: u64,
    pub(crate) name: Vec<u8>,
    pub(crate) extra: Vec<u8>,
    /// Length of the whole header in bytes.
    pub(crate) len: u64,
}

impl Local {
    /// Reads the header at `offset`; `None` where there is none.
    pub(crate) fn read(snapshot: &Snapshot, offset: u64) -> io::Result<Option<Self>> {
        let mut record = [0; LOCAL_LEN];
        if offset.saturating_add(LOCAL_LEN as u64) > snapshot.len() {
            return Ok(None);
        }
        snapshot.read_exact_at(&mut record, offset)?;
        if record[..4] != LOCAL_MAGIC {
            return Ok(None);
        }
        let mut name = vec![0; u16_at(&record, 26).into()];
        let mut extra = vec![0; u16_at(&record, 28).into()];
        let len = (LOCAL_LEN + name.len() + extra.len()) as u64;
        if offset + len > snapshot.len() {
            return Ok(None);
        }
        snapshot.read_exact_at(&mut name, offset + LOCAL_LEN as u64)?;
        snapshot.read_exact_at(&mut extra, offset + (LOCAL_LEN + name.len()) as u64)?;
        let [mut compressed, mut size] = [18, 22].map(|at| u64::from(u32_at(&record, at)));
        if let Some((zip64_size, zip64_compressed)) = zip64_sizes(&extra)
            && compressed == u64::from(u32::MAX)
            && size == u64::from(u32::MAX)
        {
            // Writers that do not know the length beforehand reserve this field
            // even where the directory then has no need of it.
            (size, compressed) = (zip64_size, zip64_compressed);
        }
        Ok(Some(Self {
            flags: u16_at(&record, 6),
            method: u16_at(&record, 8),
            crc: u32_at(&record, 14),
            compressed,
            size,
            name,
            extra,
            len,
        }))
    }
}

/// Whether the bytes between an entry's data and the next record are a data
/// descriptor that repeats the directory's figures.
pub(crate) fn is_descriptor(bytes: &[u8], central: &Central) -> bool {
    let figures = match bytes.len() {
        16 | 24 => match bytes.strip_prefix(&DESCRIPTOR_MAGIC) {
            Some(rest) => rest,
            None => return false,
        },
        12 | 20 => bytes,
        _ => return false,
    };
    let mut expected = central.crc.to_le_bytes().to_vec();
    for figure in [central.compressed, central.size] {
        let width = (figures.len() - 4) / 2;
        expected.extend(&figure.to_le_bytes()[..width]);
    }
    figures == expected
}

/// Checks that extra fields are whole and that none gives the entry a second
/// meaning. Returns the number of the first that does, zero for damage.
pub(crate) fn check_extra(extra: &[u8], zip64_allowed: bool) -> Result<(), u16> {
    for field in ExtraFields(extra) {
        let (id, _) = field.ok_or(0_u16)?;
        if EXTRA_FORBIDDEN.contains(&id) || id == EXTRA_AES || (id == EXTRA_ZIP64 && !zip64_allowed)
        {
            return Err(id);
        }
    }
    Ok(())
}

fn zip64_sizes(extra: &[u8]) -> Option<(u64, u64)> {
    let fields = ExtraFields(extra).flatten();
    let (_, body) = fields.into_iter().find(|&(id, _)| id == EXTRA_ZIP64)?;
    let number = |at: usize| Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
    Some((number(0)?, number(8)?))
}

/// Iterates over `(number, body)`; a last `None` item stands for damage.
struct ExtraFields<'a>(&'a [u8]);

impl<'a> Iterator for ExtraFields<'a> {
    type Item = Option<(u16, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let &[a, b, c, d, ref rest @ ..] = self.0 else {
            self.0 = &[];
            return Some(None);
        };
        let Some((body, rest)) = rest.split_at_checked(u16::from_le_bytes([c, d]).into()) else {
            self.0 = &[];
            return Some(None);
        };
        self.0 = rest;
        Some(Some((u16::from_le_bytes([a, b]), body)))
    }
}

fn u16_at<const N: usize>(record: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

fn u32_at<const N: usize>(record: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
}
