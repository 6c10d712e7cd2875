//! `outrigger call`.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Client, Target};
use crate::failure::Failure;
use crate::runtime;

/// Call a method of a plugin, with a request in JSON.
///
/// The plugin describes its services by gRPC reflection, or --descriptor does. A
/// method that streams prints one answer a line. Give up to three words: the instance,
/// which may be left out where there is one only, `package.Service/Method`, and the
/// request, which is {} by default and is read from standard input for `-`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// [INSTANCE] SERVICE/METHOD [JSON]
    #[arg(value_name = "WORD", num_args = 0..=3)]
    words: Vec<String>,
    /// List the services' methods instead
    #[arg(long)]
    list: bool,
    /// A descriptor set with its imports, for a plugin without reflection
    #[arg(long, value_name = "FILE")]
    descriptor: Option<PathBuf>,
    /// How long to wait, as in 2s
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    deadline: String,
    /// Print one JSON object with the generation and all answers
    #[arg(long)]
    json: bool,
}

/// What the words ask for.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    instance: Option<&'a str>,
    method: Option<&'a str>,
    request: &'a str,
}

impl<'a> Asked<'a> {
    fn parse(words: &'a [String], list: bool) -> Result<Self, Failure> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (instance, rest) = match words.as_slice() {
            [first, rest @ ..] if !first.contains('/') => (Some(*first), rest),
            rest => (None, rest),
        };
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        match (rest, list) {
            ([], true) => Ok(Self { instance, method: None, request: "{}" }),
            (_, true) => usage("--list takes an instance and nothing else"),
            ([], false) => usage("which method? Give one as in package.Service/Method, or --list"),
            ([method, ..], false) if !method.contains('/') => {
                usage("the method has a `/` in it, as in package.Service/Method")
            }
            ([method], false) => Ok(Self { instance, method: Some(method), request: "{}" }),
            ([method, request], false) => Ok(Self { instance, method: Some(method), request }),
            _ => usage("there are too many words: quote the JSON"),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let asked = Asked::parse(&arguments.words, arguments.list)?;
    let request = match asked.request {
        "-" => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text)?;
            text
        }
        text => text.to_owned(),
    };
    let request = RawValue::from_string(request)
        .map_err(|error| Failure::Usage(format!("the request is no JSON: {error}")))?;
    let descriptor = match &arguments.descriptor {
        None => Value::Null,
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| {
                Failure::failed(&format!("{} cannot be read", path.display()), &error)
            })?;
            json!(base64(&bytes))
        }
    };
    runtime()?.block_on(async {
        let client = Client::new(&arguments.target)?;
        let instance = match asked.instance {
            Some(instance) => instance.to_owned(),
            None => only(&client).await?,
        };
        let Some(method) = asked.method else {
            let params = json!({ "instance": instance, "descriptor": descriptor });
            let methods = client.call("outrigger_services", params).await?;
            list(&methods, arguments.json);
            return Ok(());
        };
        let params = Params {
            instance: &instance,
            method,
            params: &request,
            deadline: &arguments.deadline,
            descriptor,
        };
        let called = client.call_with("outrigger_call", &params).await?;
        show(&called, arguments.json);
        Ok(())
    })
}

/// As the host takes them. The request stays the text that it is, so that errors say
/// where in it.
#[derive(serde::Serialize)]
struct Params<'a> {
    instance: &'a str,
    method: &'a str,
    params: &'a RawValue,
    deadline: &'a str,
    descriptor: Value,
}

/// The instance, where there is one only.
async fn only(client: &Client) -> Result<String, Failure> {
    let status = client.call("outrigger_status", json!({})).await?;
    let names = status.as_array().into_iter().flatten().filter_map(|one| one["instance"].as_str());
    match names.collect::<Vec<_>>().as_slice() {
        [only] => Ok((*only).to_owned()),
        several => Err(Failure::Usage(format!(
            "which instance? Put it before the method; there are: {}",
            several.join(", ")
        ))),
    }
}

fn list(methods: &Value, as_json: bool) {
    if as_json {
        println!("{methods}");
        return;
    }
    for method in methods.as_array().into_iter().flatten() {
        let text = |key: &str| method[key].as_str().unwrap_or_default();
        let stream = |key: &str| if method[key] == true { "stream " } else { "" };
        println!(
            "{}({}{}) -> {}{}",
            text("method"),
            stream("clientStreams"),
            text("request"),
            stream("serverStreams"),
            text("response")
        );
    }
}

fn show(called: &Value, as_json: bool) {
    if as_json {
        println!("{called}");
        return;
    }
    for message in called["messages"].as_array().into_iter().flatten() {
        println!("{message}");
    }
    if called["complete"] == false {
        eprintln!("... there is more, or it goes on; --deadline waits longer");
    }
}

/// The usual alphabet, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], *chunk.get(1).unwrap_or(&0), *chunk.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 63;
            let padded = place > chunk.len();
            text.push(if padded { '=' } else { char::from(ALPHABET[sextet as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'a>(words: &'a [String], list: bool) -> Option<Asked<'a>> {
        Asked::parse(words, list).ok()
    }

    #[test]
    fn the_instance_and_the_request_may_be_left_out() {
        let words = |text: &str| {
            text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        for (text, list, expected) in [
            ("a p.S/M {}", false, Some((Some("a"), Some("p.S/M"), "{}"))),
            ("p.S/M [1]", false, Some((None, Some("p.S/M"), "[1]"))),
            ("a p.S/M", false, Some((Some("a"), Some("p.S/M"), "{}"))),
            ("p.S/M", false, Some((None, Some("p.S/M"), "{}"))),
            ("a", true, Some((Some("a"), None, "{}"))),
            ("", true, Some((None, None, "{}"))),
            ("a", false, None),
            ("", false, None),
            ("a b {}", false, None),
            ("a p.S/M", true, None),
            ("p.S/M {} {}", false, None),
        ] {
            let words = words(text);
            let found = parse(&words, list).map(|it| (it.instance, it.method, it.request));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
