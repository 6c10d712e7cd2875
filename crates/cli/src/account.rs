//! `outrigger account`: the accounts of an account plugin, without a node. The
//! flags and errors are those of GoQuorum's `geth account plugin`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use outrigger::account::{self, Account, AccountService, Handle};
use outrigger::settings::{ProcessEnv, read_config};
use outrigger::{ConfigSource, InstanceName, PluginHost, RawConfig, Settings};
use outrigger_types::go_json;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::logging;
use crate::run::flags::HostFlags;

/// For the plugin to stop.
const STOP: Duration = Duration::from_secs(10);

/// Largest key file, in bytes.
const LARGEST_KEY: u64 = 4_096;

/// List, make and import accounts with an account plugin.
///
/// The plugin of the settings is started for this, and stopped again.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the plugin's accounts
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Make an account
    New {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        config: NewAccount,
    },
    /// Make an account of a private key
    Import {
        /// A file with the key in 64 hexadecimal digits
        keyfile: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        config: NewAccount,
    },
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    host: HostFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct NewAccount {
    /// What the plugin wants to know: JSON, or a file: or env: URL of it
    #[arg(long = "plugins.account.config", value_name = "CONFIG")]
    account_config: Option<String>,
}

impl NewAccount {
    /// The bytes for the plugin: a JSON object, as GoQuorum writes it.
    fn bytes(&self) -> Result<String, Failure> {
        let Some(text) = &self.account_config else {
            return Err(Failure::Failed(
                "--plugins and --plugins.account.config flags must be set".to_owned(),
            ));
        };
        let source = ConfigSource::Text(RawConfig::new(text.as_bytes()));
        let read = read_config(&source, &ProcessEnv)?;
        if read.expose().is_empty() {
            return Err(Failure::Failed("no plugin config provided".to_owned()));
        }
        let text = String::from_utf8_lossy(read.expose());
        let object: Result<serde_json::Map<String, Value>, _> = serde_json::from_str(&text);
        let invalid =
            |why: &str| Failure::Failed(format!("invalid account creation config provided: {why}"));
        object.map_err(|_| invalid("it is no JSON object"))?;
        go_json(text.as_bytes()).map_err(|error| invalid(&error.to_string()))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    logging::install("warn");
    match &arguments.what {
        What::List { common } => {
            let accounts = with_plugin(common, async |handle| Ok(handle.accounts().await?))?;
            show(common, &accounts);
        }
        What::New { common, config } => {
            let config = config.bytes()?;
            let made = with_plugin(common, async |handle| {
                Ok(handle.new_account(config.as_bytes()).await?)
            })?;
            show(common, &[made]);
        }
        What::Import { keyfile, common, config } => {
            let Some(keyfile) = keyfile else {
                return Err(Failure::Failed("keyfile must be given as argument".to_owned()));
            };
            let key = key(keyfile)?;
            let config = config.bytes()?;
            let made = with_plugin(common, async |handle| {
                Ok(handle.import_raw_key(&key, config.as_bytes()).await?)
            })?;
            show(common, &[made]);
        }
    }
    Ok(())
}

fn key(path: &PathBuf) -> Result<String, Failure> {
    let failed = |why: &str| Failure::Failed(format!("Failed to load the private key: {why}"));
    let open = |why: &std::io::Error| {
        let why = match why.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => why.to_string(),
        };
        failed(&format!("open {}: {why}", path.display()))
    };
    let length = std::fs::metadata(path).map_err(|error| open(&error))?.len();
    if length > LARGEST_KEY {
        return Err(failed("the file is too large for a key"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| open(&error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Starts the account plugin, and no other, for one call.
fn with_plugin<T>(
    common: &Common,
    call: impl AsyncFnOnce(Handle) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let registered = common
        .host
        .builder()?
        .register()
        .map_err(|error| Failure::failed("unable to create plugin manager", &error))?;
    let instance = only_account(registered.settings())?;
    crate::runtime()?.block_on(async {
        let host: PluginHost = registered
            .start()
            .await
            .map_err(|error| Failure::failed("unable to start plugin manager", &error))?;
        let called = match host.gateway::<Handle>(instance.as_str()) {
            Ok(handle) => call(handle).await,
            Err(error) => Err(error.into()),
        };
        let stopped = host.stop(STOP).await;
        let answer = called?;
        stopped?;
        Ok(answer)
    })
}

fn only_account(settings: &Settings) -> Result<InstanceName, Failure> {
    let of_account = |interface: &str| interface == account::INTERFACE;
    let others: Vec<&str> = settings
        .providers
        .values()
        .map(|provider| provider.interface.as_str())
        .filter(|interface| !of_account(interface))
        .collect();
    if !others.is_empty() {
        let others = others.join(" ");
        return Err(Failure::Failed(format!("unsupported plugins configured: [{others}]")));
    }
    settings.providers.keys().next().cloned().ok_or_else(|| {
        Failure::Failed("no account plugin is configured; add `providers.account`".to_owned())
    })
}

fn show(common: &Common, accounts: &[Account]) {
    if common.json {
        let object = |account: &Account| json!({ "address": account.address.to_string(), "url": account.url.to_string() });
        println!("{}", json!({ "accounts": accounts.iter().map(object).collect::<Vec<_>>() }));
        return;
    }
    for Account { address, url } in accounts {
        println!("{address} {url}");
    }
}
