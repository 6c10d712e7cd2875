//! A zip writer that lies on request: every field of every record can be set.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

pub(crate) const FILE: u32 = 0o100_644 << 16;
pub(crate) const PROGRAM: u32 = 0o100_755 << 16;
pub(crate) const DIRECTORY: u32 = (0o040_755 << 16) | 0x10;
pub(crate) const METADATA: &str = r#"{"name":"acme","version":"1.2.0","entrypoint":"acme"}"#;
pub(crate) const SCRIPT: &str = "#!/bin/sh\nexit 0\n";

/// One entry. `local_*` and `offset` are taken from the others unless set.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) compressed: u32,
    pub(crate) attributes: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) volume: u16,
    pub(crate) offset: Option<u32>,
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) local_flags: Option<u16>,
    pub(crate) local_method: Option<u16>,
    pub(crate) local_crc: Option<u32>,
    pub(crate) local_sizes: Option<(u32, u32)>,
    pub(crate) local_extra: Vec<u8>,
    /// Bytes in front of the local header.
    pub(crate) before: Vec<u8>,
    /// Bytes behind the data, such as a descriptor.
    pub(crate) after: Vec<u8>,
    /// Leave out header and data.
    pub(crate) central_only: bool,
}

impl Member {
    pub(crate) fn stored(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let (name, data) = (name.as_ref(), data.as_ref());
        Self {
            name: name.to_vec(),
            body: data.to_vec(),
            method: 0,
            flags: 0,
            crc: crc32(data),
            size: data.len() as u32,
            compressed: data.len() as u32,
            attributes: FILE,
            extra: Vec::new(),
            comment: Vec::new(),
            volume: 0,
            offset: None,
            local_name: None,
            local_flags: None,
            local_method: None,
            local_crc: None,
            local_sizes: None,
            local_extra: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            central_only: false,
        }
    }

    pub(crate) fn deflated(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let body = deflate(data.as_ref());
        let compressed = body.len() as u32;
        Self { method: 8, body, compressed, ..Self::stored(name, data) }
    }

    pub(crate) fn directory(name: impl AsRef<[u8]>) -> Self {
        Self { attributes: DIRECTORY, ..Self::stored(name, "") }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn local(&self) -> Vec<u8> {
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let (size, compressed) = self.local_sizes.unwrap_or((self.size, self.compressed));
        let mut out = b"PK\x03\x04\x14\0".to_vec();
        put16(&mut out, self.local_flags.unwrap_or(self.flags));
        put16(&mut out, self.local_method.unwrap_or(self.method));
        put32(&mut out, 0x0021_0000);
        put32(&mut out, self.local_crc.unwrap_or(self.crc));
        put32(&mut out, compressed);
        put32(&mut out, size);
        put16(&mut out, name.len() as u16);
        put16(&mut out, self.local_extra.len() as u16);
        [out, name.clone(), self.local_extra.clone(), self.body.clone(), self.after.clone()]
            .concat()
    }

    fn central(&self, offset: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x14\x03\x14\0".to_vec();
        put16(&mut out, self.flags);
        put16(&mut out, self.method);
        put32(&mut out, 0x0021_0000);
        put32(&mut out, self.crc);
        put32(&mut out, self.compressed);
        put32(&mut out, self.size);
        put16(&mut out, self.name.len() as u16);
        put16(&mut out, self.extra.len() as u16);
        put16(&mut out, self.comment.len() as u16);
        put16(&mut out, self.volume);
        put16(&mut out, 0);
        put32(&mut out, self.attributes);
        put32(&mut out, self.offset.unwrap_or(offset));
        [out, self.name.clone(), self.extra.clone(), self.comment.clone()].concat()
    }
}

/// The archive around the members.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forge {
    pub(crate) members: Vec<Member>,
    pub(crate) prefix: Vec<u8>,
    /// Added to every offset, as if the prefix had been known.
    pub(crate) shift: u32,
    /// Bytes between the last entry and the directory.
    pub(crate) before_directory: Vec<u8>,
    /// Bytes between the directory and the end record.
    pub(crate) after_directory: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) suffix: Vec<u8>,
    pub(crate) count: Option<u16>,
    pub(crate) volume: u16,
    pub(crate) directory_offset: Option<u32>,
}

impl Forge {
    /// A good plugin and `members`.
    pub(crate) fn plugin(members: impl IntoIterator<Item = Member>) -> Self {
        let mut all = vec![
            Member::stored("plugin-meta.json", METADATA),
            Member::stored("acme", SCRIPT).with(|m| m.attributes = PROGRAM),
        ];
        all.extend(members);
        Self { members: all, ..Self::default() }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut directory = Vec::new();
        for member in &self.members {
            if !member.central_only {
                out.extend(&member.before);
            }
            let offset = (out.len() - self.prefix.len()) as u32 + self.shift;
            if !member.central_only {
                out.extend(member.local());
            }
            directory.extend(member.central(offset));
        }
        out.extend(&self.before_directory);
        let offset = (out.len() - self.prefix.len()) as u32 + self.shift;
        let count = self.count.unwrap_or(self.members.len() as u16);
        out.extend(&directory);
        out.extend(&self.after_directory);
        out.extend(b"PK\x05\x06");
        put16(&mut out, self.volume);
        put16(&mut out, 0);
        put16(&mut out, count);
        put16(&mut out, count);
        put32(&mut out, directory.len() as u32);
        put32(&mut out, self.directory_offset.unwrap_or(offset));
        put16(&mut out, self.comment.len() as u16);
        out.extend(&self.comment);
        out.extend(&self.suffix);
        out
    }
}

/// A data descriptor; sizes take `width` bytes each.
pub(crate) fn descriptor(member: &Member, magic: bool, width: usize) -> Vec<u8> {
    let mut out = if magic { b"PK\x07\x08".to_vec() } else { Vec::new() };
    put32(&mut out, member.crc);
    out.extend(&u64::from(member.compressed).to_le_bytes()[..width]);
    out.extend(&u64::from(member.size).to_le_bytes()[..width]);
    out
}

/// An extra field.
pub(crate) fn extra(id: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put16(&mut out, id);
    put16(&mut out, body.len() as u16);
    [out, body.to_vec()].concat()
}

pub(crate) fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("x", options).unwrap();
    writer.write_all(data).unwrap();
    let mut archive = ZipArchive::new(writer.finish().unwrap()).unwrap();
    let mut body = Vec::new();
    archive.by_index_raw(0).unwrap().read_to_end(&mut body).unwrap();
    body
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}
