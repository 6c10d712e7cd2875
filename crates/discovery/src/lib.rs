//! From a plugin definition to a verified, unpacked distribution, and the way
//! back: packing a directory and signing what came out.
//!
//! Everything here is synchronous: no actor, no socket, no timer. The order is
//! fixed by the types. [`locate`] finds the file; [`Distribution::open`] copies
//! it once into sealed memory, so that a file which is rewritten meanwhile
//! changes nothing; a [`Verifier`] judges the copy's digest; only then is the
//! copy parsed ([`Distribution::contents`]) and unpacked. [`Resolver::resolve`]
//! does all of it.
//! [`Resolver::resolve_directory`] is for a plugin that is being worked on.
//!
//! Invariants: no byte that was not hashed is ever unpacked; an archive that is
//! refused leaves nothing on the disk; a name in an archive is accepted as it
//! stands or the archive is refused, never rewritten.
//!
//! The feature `openpgp`, which is on by default, verifies and makes signatures.
//! Without it a [`Verification`] that needs one refuses everything, with
//! [`VerifyError::NoOpenPgp`].

mod archive;
pub mod atomic;
mod central;
mod directory;
mod entry_point;
mod error;
mod last_run;
mod limits;
mod locate;
mod metadata;
mod pack;
mod permissions;
mod resolve;
mod rules;
#[cfg(feature = "openpgp")]
mod sign;
mod snapshot;
mod verify;
mod warning;
mod workspace;

pub use archive::{
    ArchiveError, Contents, Distribution, Entry, EntryKindProblem, NameProblem, Refusal,
};
pub use atomic::IfExists;
pub use central::{Central, CentralError, DownloadError};
pub use directory::{Developed, DirectoryError};
pub use entry_point::{EntryKind, EntryPointError};
pub use error::{DiscoveryError, IdentityError};
pub use last_run::{DowngradeError, last_run_path, remember_run};
pub use limits::Limits;
pub use locate::{LocateError, Located, locate};
pub use metadata::{METADATA_FILE, Metadata, MetadataError};
pub use pack::{PackError, PackOptions, Packed, pack};
pub use resolve::{EntryPoint, Resolved, Resolver, Timings};
pub use rules::{Doubt, DoubtError, Rules};
#[cfg(feature = "openpgp")]
pub use sign::{KeyAlgorithm, SignError, Signed, SigningKey, sign};
pub use snapshot::sha256;
pub use verify::{
    Fingerprint, FingerprintError, KeyRingProblem, Pinned, PolicyViolation, Signer, Verification,
    VerifiedBy, Verifier, VerifyError, signature_path,
};
#[cfg(feature = "openpgp")]
pub use verify::{KeyFound, Online, OnlineKey, inspect_keys};
pub use warning::Warning;
pub use workspace::{Workspace, WorkspaceError};
