//! Figures of supervision, of reload and of the admin API, each measured in a process
//! of its own; `cargo xtask reliability` and `cargo xtask bench` build and run it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]
#![expect(clippy::disallowed_methods, reason = "it measures real time and starts processes")]

mod admin;
mod bystander;
mod calls;
mod cost;
mod deaths;
mod figures;
mod floods;
mod paint;
mod reloads;
mod row;
mod site;
mod soak;
mod trees;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use figures::{FIGURES, Figure};
use row::{Row, table};
use rustix::process::set_child_subreaper;

/// For one figure, however long its form.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What was asked for on the command line.
#[derive(Debug, Default)]
struct Asked {
    names: Vec<String>,
    all: bool,
    short: bool,
    json: bool,
    /// The command that asks.
    of: String,
    /// This process measures, and prints rows for the one that asked it to.
    measure: bool,
}

fn main() -> ExitCode {
    if let Some(ended) = cost::child() {
        return ended;
    }
    let asked = match parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(text) => {
            eprintln!("error: {text}");
            return ExitCode::from(2);
        }
    };
    let outcome = if asked.measure { measure(&asked) } else { report(&asked) };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { of: "reliability".to_owned(), ..Asked::default() };
    let known = |of: &str| FIGURES.iter().filter(|figure| figure.of == of).collect::<Vec<_>>();
    for argument in arguments {
        match argument.as_str() {
            "--bench-admin" => "bench admin".clone_into(&mut asked.of),
            "--all" => asked.all = true,
            "--short" => asked.short = true,
            "--json" => asked.json = true,
            "--measure" => asked.measure = true,
            name if known(&asked.of).iter().any(|figure| figure.name == name) => {
                asked.names.push(argument);
            }
            other => {
                let known: Vec<_> = known(&asked.of).iter().map(|figure| figure.name).collect();
                return Err(format!(
                    "there is no figure `{other}`; there are {}, and --all",
                    known.join(", ")
                ));
            }
        }
    }
    if asked.all {
        asked.names = known(&asked.of).iter().map(|figure| figure.name.to_owned()).collect();
    }
    if asked.names.is_empty() {
        return Err("name a figure, or give --all".to_owned());
    }
    Ok(asked)
}

/// Measures one figure here.
fn measure(asked: &Asked) -> Result<bool, String> {
    // So that whatever leaves its session is still seen, and reaped, here.
    set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    for name in &asked.names {
        let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) else { continue };
        let Figure { run, .. } = figure;
        for row in runtime.block_on(run(asked.short)) {
            println!("{}", row.line());
        }
    }
    Ok(true)
}

/// Has each figure measured in a process of its own, and shows them all.
fn report(asked: &Asked) -> Result<bool, String> {
    let mut rows = Vec::new();
    for name in &asked.names {
        eprintln!("== {name}");
        let began = std::time::Instant::now();
        let measured = measured_elsewhere(name, asked);
        eprintln!("== {name}: {:.1} s", began.elapsed().as_secs_f64());
        match measured {
            Ok(found) => rows.extend(found),
            Err(text) => rows.push(Row::failed(name, &text)),
        }
    }
    let fell_short = rows.iter().filter(|row| row.held == Some(false)).count();
    let held = rows.iter().filter(|row| row.held == Some(true)).count();
    if asked.json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        println!("{}", serde_json::json!({ "rows": rows, "held": held, "fell_short": fell_short }));
    } else {
        println!("{}\n", machine(&asked.of));
        println!("{}\n", table(&rows));
        println!("{held} held, {fell_short} fell short");
    }
    Ok(fell_short == 0)
}

/// Where and when it was measured, and by what command.
fn machine(of: &str) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let named = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split(':').nth(1).map(|value| value.trim().to_owned())
    };
    let model = named(&cpu, "model name").unwrap_or_else(|| "unknown".to_owned());
    let processors = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = named(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kib = memory.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
    let gib = kib.unwrap_or_default() / f64::from(1 << 20);
    let kernel = read("/proc/sys/kernel/osrelease");
    let today = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let day = today.split('T').next().unwrap_or_default();
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench-admin");
    let arguments: Vec<String> = arguments.collect();
    format!(
        "Measured by `cargo xtask {of} {}` on {day}: {processors} processors ({model}), \
         {gib:.0} GiB, Linux {}.",
        arguments.join(" "),
        kernel.trim()
    )
}

fn measured_elsewhere(name: &str, asked: &Asked) -> Result<Vec<Row>, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new("timeout");
    command
        .arg("--kill-after=10")
        .arg(LONGEST.as_secs().to_string())
        .arg(this)
        .args((asked.of == "bench admin").then_some("--bench-admin"))
        .args(["--measure", name])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if asked.short {
        command.arg("--short");
    }
    if name == "soak" {
        // What the allocator keeps for each thread that ever was is not the host's.
        command.env("MALLOC_ARENA_MAX", "1");
    }
    let output = command.output().map_err(|error| format!("timeout: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<Row> = text.lines().filter_map(|line| Row::parse(name, line)).collect();
    if !output.status.success() {
        return Err(format!("it was not measured ({})", output.status));
    }
    if rows.is_empty() {
        return Err("it printed no figure".to_owned());
    }
    Ok(rows)
}
