//! The reasons for which an archive is refused.

use super::name::NameProblem;

/// Why an archive is refused, one variant a reason. Names are escaped in the
/// texts. Offsets and sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no end record: another kind of file, or a truncated archive.
    #[error("it is no zip archive, or was cut off")]
    NotAZip,
    /// The archive carries a comment, which could hide a second archive.
    #[error("it has a comment of {bytes} bytes")]
    Comment {
        /// The comment's length.
        bytes: u64,
    },
    /// Bytes follow the archive.
    #[error("{bytes} bytes follow its end")]
    DataAfter {
        /// How many.
        bytes: u64,
    },
    /// Bytes stand before the first entry, such as another archive or a
    /// self-extracting program.
    #[error("{bytes} bytes stand before its first entry")]
    DataBefore {
        /// How many.
        bytes: u64,
    },
    /// Bytes between two entries, or before the directory, belong to none.
    #[error("{bytes} bytes at offset {offset} belong to no entry")]
    Gap {
        /// Where they start.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// Two entries share bytes.
    #[error("entry `{}` overlaps another", .name.escape_debug())]
    Overlap {
        /// The entry that starts later.
        name: String,
    },
    /// The archive is one part of several.
    #[error("it is one volume of several")]
    MultiVolume,
    /// The form for archives of 4 GiB and more.
    #[error("it uses the zip64 form")]
    Zip64,
    /// The directory's records and its count or length differ, or a record is
    /// damaged.
    #[error("its directory is damaged at offset {offset}")]
    Directory {
        /// Where the damage was seen.
        offset: u64,
    },
    /// More entries than allowed.
    #[error("it has {count} entries or more, and {limit} are allowed")]
    TooManyEntries {
        /// How many were seen.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A name that is not accepted.
    #[error("entry name `{}` {problem}", .name.escape_debug())]
    Name {
        /// The name; bytes that are no UTF-8 are replaced.
        name: String,
        /// The rule that it breaks.
        problem: NameProblem,
    },
    /// Two entries bear one name, or names that differ only in case.
    #[error("entries `{}` and `{}` have the same name", .first.escape_debug(), .name.escape_debug())]
    Duplicate {
        /// The earlier entry.
        first: String,
        /// The later entry.
        name: String,
    },
    /// One name is both a file and a directory.
    #[error("`{}` is both a file and a directory", .name.escape_debug())]
    FileAndDirectory {
        /// The name.
        name: String,
    },
    /// An entry is neither a regular file nor a directory, or not what its name
    /// says.
    #[error("entry `{}` is {problem}", .name.escape_debug())]
    Kind {
        /// The entry.
        name: String,
        /// What it is.
        problem: EntryKindProblem,
    },
    /// An entry is encrypted.
    #[error("entry `{}` is encrypted", .name.escape_debug())]
    Encrypted {
        /// The entry.
        name: String,
    },
    /// A compression method other than stored and deflate.
    #[error("entry `{}` uses compression method {method}; only stored and deflate are read", .name.escape_debug())]
    Method {
        /// The entry.
        name: String,
        /// The method's number.
        method: u16,
    },
    /// Flag bits that change how the entry would be read.
    #[error("entry `{}` has the unsupported flags {flags:#06x}", .name.escape_debug())]
    Flags {
        /// The entry.
        name: String,
        /// The bits that are not supported.
        flags: u16,
    },
    /// An extra field that is damaged, or that gives the entry a second name or
    /// a link's target.
    #[error("entry `{}` has the unsupported extra field {id:#06x}", .name.escape_debug())]
    ExtraField {
        /// The entry.
        name: String,
        /// The field's number, or zero where the fields are damaged.
        id: u16,
    },
    /// There is no local header where the directory says.
    #[error("entry `{}` has no header of its own", .name.escape_debug())]
    NoLocalHeader {
        /// The entry.
        name: String,
    },
    /// The local header says something else than the directory.
    #[error("entry `{}` has another {field} in its own header than in the directory", .name.escape_debug())]
    LocalHeader {
        /// The entry.
        name: String,
        /// What differs.
        field: &'static str,
    },
    /// The record behind the data says something else than the directory.
    #[error("entry `{}` has a data descriptor that contradicts the directory", .name.escape_debug())]
    Descriptor {
        /// The entry.
        name: String,
    },
    /// One file is larger than allowed.
    #[error("entry `{}` unpacks to {size} bytes, and {limit} are allowed for one file", .name.escape_debug())]
    FileTooLarge {
        /// The entry.
        name: String,
        /// Its declared size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// All files together are larger than allowed.
    #[error("it unpacks to {size} bytes or more, and {limit} are allowed")]
    TotalTooLarge {
        /// The sum at which counting stopped.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// A file is compressed better than any program or text is.
    #[error("entry `{}` unpacks to over {limit} times its size, as a bomb does", .name.escape_debug())]
    Ratio {
        /// The entry.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// The data is not as long as declared.
    #[error("entry `{}` does not have the {declared} bytes that it declares", .name.escape_debug())]
    Size {
        /// The entry.
        name: String,
        /// The declared size.
        declared: u64,
    },
    /// The data's checksum is not the declared one.
    #[error("entry `{}` has a wrong checksum", .name.escape_debug())]
    Checksum {
        /// The entry.
        name: String,
    },
    /// The compressed data cannot be decoded.
    #[error("entry `{}` has damaged data", .name.escape_debug())]
    Data {
        /// The entry.
        name: String,
    },
    /// The zip library reads the archive differently than the checks before it
    /// did, so that nobody knows what was checked.
    #[error("entry `{}` can be read in two ways", .name.escape_debug())]
    Ambiguous {
        /// The entry, empty for the archive as a whole.
        name: String,
    },
}

/// How an entry is neither a plain file nor a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryKindProblem {
    /// A symbolic link.
    #[error("a symbolic link")]
    SymbolicLink,
    /// A block or character device.
    #[error("a device")]
    Device,
    /// A named pipe.
    #[error("a named pipe")]
    Pipe,
    /// A socket.
    #[error("a socket")]
    Socket,
    /// Another kind, or a volume label.
    #[error("of an unknown kind")]
    Unknown,
    /// The name ends in `/`, the attributes say file.
    #[error("a directory by its name, but not by its attributes")]
    DirectoryByNameOnly,
    /// The attributes say directory, the name does not end in `/`.
    #[error("a directory by its attributes, but not by its name")]
    DirectoryByAttributesOnly,
    /// A directory that has content.
    #[error("a directory with content")]
    DirectoryWithData,
}

impl Refusal {
    /// What an operator can do.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::TooManyEntries { .. }
            | Self::FileTooLarge { .. }
            | Self::TotalTooLarge { .. }
            | Self::Ratio { .. } => "pack less, or raise the limit if its maker is trusted",
            Self::NotAZip | Self::Checksum { .. } | Self::Data { .. } | Self::Size { .. } => {
                "download or pack it again"
            }
            Self::Encrypted { .. } | Self::Method { .. } => {
                "pack it again without encryption, stored or deflated"
            }
            Self::Zip64 => "pack it again below 4 GiB, from files rather than from a stream",
            Self::Name { .. } | Self::Kind { .. } => "pack it again without that entry",
            _ => "do not use it before its maker has packed it again",
        }
    }
}
