//! The command line, in the form of Go's flags.

use std::path::PathBuf;
use std::time::Duration;

use crate::steps::STEPS;

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) plain: bool,
    pub(crate) multiplex: bool,
    pub(crate) versions: Vec<u32>,
    pub(crate) steps: Vec<String>,
    /// Bytes of the step `large`.
    pub(crate) large: usize,
    /// Calls of the step `calls`.
    pub(crate) calls: usize,
    /// For the launch.
    pub(crate) start: Duration,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            plain: false,
            multiplex: false,
            versions: vec![1],
            steps: vec!["ping".to_owned(), "greeting".to_owned()],
            large: 5 << 20,
            calls: 500,
            start: Duration::from_secs(15),
            program: PathBuf::new(),
            arguments: Vec::new(),
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix('-') else {
                options.program = PathBuf::from(argument);
                options.arguments = arguments.collect();
                return Ok(options);
            };
            let flag = flag.trim_start_matches('-');
            let (flag, attached) = match flag.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (flag, None),
            };
            let mut value =
                || attached.clone().or_else(|| arguments.next()).ok_or(format!("-{flag} what?"));
            match flag {
                "plain" => options.plain = true,
                "mux" => options.multiplex = true,
                "versions" => options.versions = list(&value()?)?,
                "steps" => options.steps = steps(&value()?)?,
                "large" => options.large = number(&value()?)?,
                "calls" => options.calls = number(&value()?)?,
                "start" => options.start = Duration::from_secs(number(&value()?)?),
                _ => return Err(format!("-{flag} is not known")),
            }
        }
        Err("name the plugin to host".to_owned())
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn list(text: &str) -> Result<Vec<u32>, String> {
    text.split(',').map(number).collect()
}

fn steps(text: &str) -> Result<Vec<String>, String> {
    let steps: Vec<String> = text.split(',').map(str::to_owned).collect();
    match steps.iter().find(|step| !STEPS.contains(&step.as_str())) {
        Some(step) => Err(format!("step `{step}` is not known")),
        None => Ok(steps),
    }
}
