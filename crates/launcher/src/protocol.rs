//! What host and launcher say to each other: one spec, then commands one way
//! and reports the other.
//!
//! Unknown fields are errors, never skipped: a field that an older launcher
//! does not know may be a restriction that it would fail to apply.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::text::ByteString;

/// The version of the protocol, sent in the header of every message. Host and
/// launcher must have the same one; they are released together.
pub const PROTOCOL_VERSION: u8 = 1;

/// The longest spec, in bytes of JSON. Linux's own cap on arguments and
/// environment together is of the same order.
pub const MAX_SPEC: usize = 1 << 20;

/// The longest report, in bytes of JSON.
pub const MAX_REPORT: usize = 16 << 10;

/// The longest command, in bytes of JSON.
pub const MAX_COMMAND: usize = 4 << 10;

/// Something that travels on the control socket. Sealed: the three kinds are
/// [`Spec`], [`Command`] and [`Report`].
pub trait Message: Serialize + DeserializeOwned + sealed::Sealed {
    /// The longest JSON form that is sent or read, in bytes.
    const MAX: usize;
}

mod sealed {
    #[expect(unnameable_types, reason = "a sealed trait is meant to be unnameable")]
    pub trait Sealed {}
    impl Sealed for super::Spec {}
    impl Sealed for super::Command {}
    impl Sealed for super::Report {}
}

impl Message for Spec {
    const MAX: usize = MAX_SPEC;
}

impl Message for Command {
    const MAX: usize = MAX_COMMAND;
}

impl Message for Report {
    const MAX: usize = MAX_REPORT;
}

/// What the launcher is to run: the first and only such message of a host.
///
/// `Debug` shows no values of the environment, since secrets live there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Where the program's bytes come from.
    pub exec: Exec,
    /// The whole argument list, `argv[0]` included, so never empty.
    pub argv: Vec<ByteString>,
    /// The plugin's whole environment in this order. Nothing is added to it
    /// and nothing of the launcher's own environment is inherited.
    pub env: Vec<(ByteString, ByteString)>,
    /// The plugin's working directory, absolute.
    pub cwd: ByteString,
    /// Whether the plugin may dump core. When false, `RLIMIT_CORE` is 0, hard
    /// and soft; when true, the host's limit is inherited.
    pub core_dumps: bool,
}

/// Where a program's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Exec {
    /// The descriptor that travels with the spec: a memfd sealed against
    /// writing, growing and shrinking. Not for scripts: their interpreter would
    /// find the descriptor closed.
    Memfd,
    /// This absolute path: a script, or a program that needs its own path.
    Path(ByteString),
}

impl Spec {
    /// A spec with the given program, argument list and working directory, an
    /// empty environment and no core dumps.
    pub fn new(
        exec: Exec,
        argv: impl IntoIterator<Item = impl Into<ByteString>>,
        cwd: impl Into<ByteString>,
    ) -> Self {
        Self {
            exec,
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: cwd.into(),
            core_dumps: false,
        }
    }

    /// Adds one variable at the end of the environment.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<ByteString>, value: impl Into<ByteString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    ///
    /// [`SpecError`] names the first part that no program can be started with.
    pub fn check(&self) -> Result<(), SpecError> {
        if self.argv.is_empty() {
            return Err(SpecError::NoArguments);
        }
        for (index, argument) in self.argv.iter().enumerate() {
            without_nul(argument, || format!("argument {index}"))?;
        }
        for (name, value) in &self.env {
            // An equals sign may come first: the C library takes such names.
            if name.0.is_empty() || name.0[1..].contains(&b'=') {
                return Err(SpecError::Name(name.clone()));
            }
            without_nul(name, || format!("environment name {name:?}"))?;
            without_nul(value, || format!("environment value of {name:?}"))?;
        }
        absolute(&self.cwd, "working directory")?;
        match &self.exec {
            Exec::Memfd => Ok(()),
            Exec::Path(path) => absolute(path, "program"),
        }
    }
}

fn without_nul(text: &ByteString, what: impl Fn() -> String) -> Result<(), SpecError> {
    if text.0.contains(&0) {
        return Err(SpecError::Nul(what()));
    }
    Ok(())
}

fn absolute(path: &ByteString, what: &'static str) -> Result<(), SpecError> {
    without_nul(path, || what.to_owned())?;
    if path.0.first() != Some(&b'/') {
        return Err(SpecError::Relative(what, path.clone()));
    }
    Ok(())
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Spec")
            .field("exec", &self.exec)
            .field("argv", &self.argv)
            .field("env", &names)
            .field("cwd", &self.cwd)
            .field("core_dumps", &self.core_dumps)
            .finish()
    }
}

/// A spec that no program can be started with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The argument list lacks even `argv[0]`.
    #[error("the argument list is empty; it must hold at least the program's name")]
    NoArguments,
    /// A zero byte, which no argument, variable or path can hold.
    #[error("{0} holds a zero byte")]
    Nul(String),
    /// A name of a variable that would be read back as something else.
    #[error("{0:?} cannot be the name of an environment variable")]
    Name(ByteString),
    /// A path that would depend on the launcher's own working directory.
    #[error("the {0} {1:?} is not an absolute path")]
    Relative(&'static str, ByteString),
    /// [`Exec::Memfd`] without a descriptor.
    #[error("the spec names a memfd, but no descriptor came with it")]
    NoDescriptor,
    /// [`Exec::Path`] with a descriptor.
    #[error("a descriptor came with a spec that names a path")]
    StrayDescriptor,
    /// Bytes that could change between their verification and their execution.
    #[error(
        "the descriptor is no memfd sealed against writing, growing and shrinking, so what was \
         verified need not be what runs"
    )]
    Unsealed,
}

/// What a host may ask for once the spec is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Kill the plugin and all its descendants, report, exit.
    Kill,
}

/// What the launcher tells its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Report {
    /// The spec is unusable; nothing was started and nothing follows.
    Refused {
        /// What is wrong with it, for people.
        message: String,
    },
    /// The plugin could not be started; nothing follows.
    ExecFailed {
        /// The step that failed.
        stage: Stage,
        /// The error number of the system call.
        errno: i32,
    },
    /// The plugin's program runs. Its pidfd travels with this report. A plugin
    /// that was killed on its way to its program is reported so too, and its
    /// end at once after it.
    Started {
        /// The plugin's process id, which is its process group's id too.
        pid: u32,
    },
    /// The plugin's main process ended. After a kill this may come without
    /// [`Self::Started`] before it.
    Exited {
        /// How it ended.
        end: End,
    },
    /// All descendants that were left have been killed; the last report.
    Swept {
        /// How many processes the sweep ended beside the plugin's main one.
        killed: u32,
        /// How many outlived the sweep's deadline, the plugin's main process
        /// included: above 0 only for processes that cannot be killed, such as
        /// one in uninterruptible sleep or one of another user.
        left: u32,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// It exited with this code, 0 to 255.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
        /// Whether core was dumped.
        core: bool,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal { signal, core: false } => write!(f, "signal {signal}"),
            Self::Signal { signal, core: true } => write!(f, "signal {signal}, core dumped"),
        }
    }
}

/// A step on the way from spec to running plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Stage {
    /// The launcher made itself ready: subreaper, session, descriptors.
    Setup,
    /// The plugin's process was made. `EAGAIN` and `ENOMEM` may be worth
    /// another try.
    Fork,
    /// The plugin was tied to the launcher's life. `ESRCH` when the launcher
    /// died meanwhile.
    Lifeline,
    /// Signal dispositions and mask were reset.
    Signals,
    /// Resource limits were set.
    Limits,
    /// The working directory was entered.
    Cwd,
    /// The program was executed. `ETXTBSY` only after several tries.
    Exec,
}

impl Stage {
    /// All stages, in their order.
    const ALL: [Self; 7] = [
        Self::Setup,
        Self::Fork,
        Self::Lifeline,
        Self::Signals,
        Self::Limits,
        Self::Cwd,
        Self::Exec,
    ];

    /// The stage that is this byte on the pipe between the two halves of a
    /// fork.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setup => "preparing the launcher",
            Self::Fork => "making the plugin's process",
            Self::Lifeline => "tying the plugin to the launcher",
            Self::Signals => "resetting signals",
            Self::Limits => "setting resource limits",
            Self::Cwd => "entering the working directory",
            Self::Exec => "executing the program",
        })
    }
}
