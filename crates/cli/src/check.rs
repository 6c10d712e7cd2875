//! `outrigger check`: holds a plugin, or a host, to the wire protocol, and looks
//! at settings and distributions.

mod distribution;
mod findings;
mod host;
mod plugin;
mod settings;
mod subject;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use outrigger_conformance::plugin::CaseInfo;
use outrigger_conformance::{Report, Strength};

use self::findings::Findings;
use self::subject::Kind;
use crate::failure::Failure;
use crate::runtime;

/// Hold a plugin, or a host, in any language, to the rules of the wire protocol;
/// or look at settings.
///
/// Settings, in JSON or TOML, are read with all layers. Unknown keys are errors
/// here. For each plugin it is looked whether its distribution is there and
/// sound, by whom it is signed (--key), and whether its config can be read.
/// Nothing is started.
///
/// A distribution is looked at in the same way; then, as any other plugin, it is
/// held to the protocol.
///
/// Starts FILE over and over, each time for one case, and says which rules it
/// does not hold. FILE is an executable, a directory with a plugin-meta.json,
/// or a distribution. docs/conformance.md explains what comes out.
///
/// With --host, FILE and its arguments are the command of a host, which is to
/// start the plugin that it is given, call it, stop it, and exit with 0 if all
/// of that went well: `outrigger check --host -- my-host --plugin {plugin}`.
/// docs/conformance-hosts.md explains what comes out.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// An executable, a directory with a plugin-meta.json, a distribution, or
    /// settings in JSON or TOML
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// Arguments for it, behind those of its plugin-meta.json; those that begin
    /// with a hyphen stand behind `--`
    arguments: Vec<OsString>,
    /// The cookie that it expects [default: GoQuorum's]
    #[arg(long, value_name = "KEY=VALUE")]
    cookie: Option<String>,
    /// The application versions to offer it; those that a host must offer
    /// [default: 1; not looked at]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    versions: Vec<u32>,
    /// Only these cases: names, rules (4.5) or sections (4)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Fail what falls short of a SHOULD, too
    #[arg(long)]
    strict: bool,
    /// How many cases run at once [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// How long it may take to start, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    start_timeout: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print all cases, and check nothing
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    hosting: host::Hosting,
    #[command(flatten)]
    files: settings::Files,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.list {
        return if arguments.hosting.host {
            list(outrigger_conformance::host::cases().collect(), arguments.json)
        } else {
            list(outrigger_conformance::plugin::cases().collect(), arguments.json)
        };
    }
    let kind = arguments.file.as_deref().filter(|_| !arguments.hosting.host).map(Kind::of);
    let findings = match (kind.transpose()?, &arguments.file) {
        (Some(Kind::Settings), Some(file)) => {
            return settings::check(file, &arguments.files).show(arguments.json);
        }
        // Who asks for single cases means those of the protocol.
        (Some(Kind::Distribution), Some(file)) if arguments.only.is_empty() => {
            let findings = distribution::check(file, arguments.files.key.as_ref());
            if findings.failed() > 0 {
                return findings.show(arguments.json);
            }
            Some(findings)
        }
        _ => None,
    };
    let report = if arguments.hosting.host {
        runtime()?.block_on(host::check(arguments))?
    } else {
        runtime()?.block_on(plugin::check(arguments))?
    };
    if arguments.json {
        println!("{}", together(findings.as_ref(), &report));
    } else {
        if let Some(findings) = &findings {
            println!("{}", findings.to_table());
        }
        print!("{}", report.to_table());
    }
    verdict(report.counts().failed)
}

/// One object for both.
fn together(findings: Option<&Findings>, report: &Report) -> serde_json::Value {
    let mut object = report.to_json();
    let cases = object.get_mut("cases").and_then(serde_json::Value::as_array_mut);
    if let (Some(findings), Some(cases)) = (findings, cases) {
        cases.splice(0..0, findings.cases());
    }
    object
}

fn verdict(failed: usize) -> Result<(), Failure> {
    match failed {
        0 => Ok(()),
        1 => Err(Failure::Failed("1 case failed".into())),
        failed => Err(Failure::Failed(format!("{failed} cases failed"))),
    }
}

fn list(cases: Vec<CaseInfo>, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let to_json = |case: &CaseInfo| {
            serde_json::json!({
                "name": case.name,
                "rule": case.rule,
                "strength": case.strength.word(),
                "expected": case.expected,
                "needs": case.needs,
            })
        };
        let cases: Vec<_> = cases.iter().map(to_json).collect();
        println!("{}", serde_json::json!({ "cases": cases }));
        return Ok(());
    }
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
    for CaseInfo { rule, name, strength, expected, needs } in &cases {
        let advice = if *strength == Strength::Should { " (advice)" } else { "" };
        let needs = match needs {
            [] => String::new(),
            needs => format!(" [needs {}]", needs.join(", ")),
        };
        println!("{rule:<5} {name:<width$}  {expected}{advice}{needs}");
    }
    Ok(())
}
