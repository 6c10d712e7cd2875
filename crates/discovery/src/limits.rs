//! How much an archive may ask of the host before it is refused.

/// Caps on one distribution. Each is checked before the first byte is unpacked,
/// and again while unpacking, since an archive can lie about its sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The zip file itself, in bytes. An archive of 4 GiB or more is refused
    /// whatever this says, since the zip64 form is not read.
    pub archive_bytes: u64,
    /// Files and directories together; directories that only occur as part of
    /// a file's name count too.
    pub entries: usize,
    /// Everything unpacked, in bytes.
    pub total_bytes: u64,
    /// One file unpacked, in bytes.
    pub file_bytes: u64,
    /// Unpacked bytes for each compressed byte of one file.
    pub ratio: u64,
    /// A file that unpacks to no more than this many bytes may have any ratio:
    /// a page of zeros is no bomb.
    pub ratio_allowance_bytes: u64,
    /// Components of one name: `a/b` has two.
    pub depth: usize,
    /// The metadata file unpacked, in bytes.
    pub metadata_bytes: u64,
}

const MIB: u64 = 1024 * 1024;

impl Default for Limits {
    /// 256 MiB archive, 20,000 entries, 512 MiB in total, 256 MiB a file, ratio
    /// 100 above 1 MiB, depth 32, 64 KiB of metadata.
    fn default() -> Self {
        Self {
            archive_bytes: 256 * MIB,
            entries: 20_000,
            total_bytes: 512 * MIB,
            file_bytes: 256 * MIB,
            ratio: 100,
            ratio_allowance_bytes: MIB,
            depth: 32,
            metadata_bytes: 64 * 1024,
        }
    }
}
