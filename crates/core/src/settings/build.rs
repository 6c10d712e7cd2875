//! From merged layers to [`Settings`]: every text becomes what it stands for.

use figment::value::Dict;
use outrigger_discovery::{DoubtError, Rules};
use outrigger_types::InstanceName;

use super::error::SettingsError;
use super::paths;
use super::{
    CallBounds, CentralSettings, OutlierPolicy, RestartPolicy, Settings, Strategy, Timeouts,
    UnpackLimits, order,
};

mod provider;
mod values;
mod view;

use provider::provider;
pub(super) use view::Context;
use view::View;

/// Parses the merged values.
pub(super) fn settings(values: &Dict, context: &Context<'_>) -> Result<Settings, SettingsError> {
    let root = View::root(context, values);
    let base_dir = match (root.path("baseDir")?, context.datadir) {
        (Some(dir), _) => dir,
        (None, Some(datadir)) => {
            paths::absolute(&datadir.join("plugins")).map_err(|_| SettingsError::NoBaseDir)?
        }
        (None, None) => return Err(SettingsError::NoBaseDir),
    };
    let run_dir = root.path("runDir")?.unwrap_or_else(|| paths::default_run_dir(context.env));
    let mut settings = Settings::in_dirs(base_dir, run_dir);
    settings.launcher = root.path("launcher")?;
    settings.central = central(&root.table("central"))?;
    let verification = root.table("verification");
    for text in verification.texts("fingerprints") {
        let parsed = verification.parsed(text.parse(), "fingerprints")?;
        settings.fingerprints.push(parsed);
    }
    let doubt = |key| {
        let read = |text: &str| text.parse().map_err(|error: DoubtError| error.to_string());
        verification.read(key, read).map(Option::unwrap_or_default)
    };
    settings.rules = Rules { identity: doubt("identity")?, downgrade: doubt("downgrade")? };
    settings.timeouts = timeouts(&root.table("timeouts"), Timeouts::default())?;
    settings.restart = restart(&root.table("restart"), RestartPolicy::default())?;
    settings.calls = calls(&root.table("calls"), CallBounds::default())?;
    settings.unpack = unpack(&root.table("unpack"), UnpackLimits::default())?;
    let providers = root.table("providers");
    for name in providers.keys() {
        let instance = providers.parsed(InstanceName::parse(name), name)?;
        let view = providers.table(name);
        let provider = provider(&view, name, &settings)?;
        settings.providers.insert(instance, provider);
    }
    let after = settings.providers.iter();
    let after = after.map(|(name, provider)| (name.clone(), provider.after.clone()));
    if let Err(problem) = order::levels(&after.collect()) {
        let table = root.table("providers").table(problem.instance());
        return Err(table.wrong("after", problem.to_string()));
    }
    Ok(settings)
}

fn central(view: &View<'_>) -> Result<CentralSettings, SettingsError> {
    let default = CentralSettings::default();
    let text = |key, default: String| match view.text(key) {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => default,
    };
    let optional = |key| view.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let client = match (view.path("clientCertificate")?, view.path("clientKey")?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(view.wrong("clientKey", BOTH.to_owned())),
        (None, Some(_)) => return Err(view.wrong("clientCertificate", BOTH.to_owned())),
    };
    Ok(CentralSettings {
        configured: view.is_there(),
        base_url: text("baseURL", default.base_url),
        cert_fingerprint: text("certFingerprint", default.cert_fingerprint),
        public_key_uri: text("publicKeyURI", default.public_key_uri),
        insecure_skip_tls_verify: view
            .flag("insecureSkipTLSVerify")
            .unwrap_or(default.insecure_skip_tls_verify),
        dist_path_template: text("pluginDistPathTemplate", default.dist_path_template),
        sig_path_template: text("pluginSigPathTemplate", default.sig_path_template),
        mirrors: view.texts("mirrors"),
        header: optional("header"),
        netrc: view.path("netrc")?,
        client,
        proxy: optional("proxy"),
    })
}

const BOTH: &str = "a client certificate needs its key, and a key its certificate; give both";

fn timeouts(view: &View<'_>, base: Timeouts) -> Result<Timeouts, SettingsError> {
    let limit = |key, base| view.duration(key, base, false);
    let or_zero = |key, base| view.duration(key, base, true);
    let misses = view.count("healthMisses", u64::from(base.health_misses))?;
    Ok(Timeouts {
        start: limit("start", base.start)?,
        initialise: limit("initialise", base.initialise)?,
        health_interval: limit("healthInterval", base.health_interval)?,
        health_timeout: limit("healthTimeout", base.health_timeout)?,
        health_misses: u32::try_from(misses).unwrap_or(u32::MAX),
        drain: or_zero("drain", base.drain)?,
        shutdown: or_zero("shutdown", base.shutdown)?,
        terminate: or_zero("terminate", base.terminate)?,
        kill: or_zero("kill", base.kill)?,
        probation: or_zero("probation", base.probation)?,
        call: limit("call", base.call)?,
        reload_queue: or_zero("reloadQueue", base.reload_queue)?,
    })
}

/// A count that fits.
fn small(view: &View<'_>, key: &str, base: u32) -> Result<u32, SettingsError> {
    Ok(u32::try_from(view.count(key, u64::from(base))?).unwrap_or(u32::MAX))
}

fn restart(view: &View<'_>, base: RestartPolicy) -> Result<RestartPolicy, SettingsError> {
    let strategy = view.read("strategy", |text| match text {
        "one-for-one" => Ok(Strategy::OneForOne),
        "rest-for-one" => Ok(Strategy::RestForOne),
        _ => Err(format!(
            "`{}` is no strategy; give `one-for-one` or `rest-for-one`",
            text.escape_debug()
        )),
    })?;
    Ok(RestartPolicy {
        failures: small(view, "failures", base.failures)?,
        window: view.duration("window", base.window, false)?,
        failures_per_hour: small(view, "failuresPerHour", base.failures_per_hour)?,
        backoff: view.duration("backoff", base.backoff, true)?,
        backoff_limit: view.duration("backoffLimit", base.backoff_limit, true)?,
        probe: view.duration("probe", base.probe, false)?,
        probe_limit: view.duration("probeLimit", base.probe_limit, false)?,
        circuit: view.flag("circuit").unwrap_or(base.circuit),
        strategy: strategy.unwrap_or(base.strategy),
    })
}

fn calls(view: &View<'_>, base: CallBounds) -> Result<CallBounds, SettingsError> {
    Ok(CallBounds {
        in_flight: small(view, "inFlight", base.in_flight)?,
        queue: small(view, "queue", base.queue)?,
        wait: view.duration("wait", base.wait, true)?,
        retries: retries(view, base.retries)?,
        outlier: outlier(&view.table("outlier"), base.outlier)?,
    })
}

fn retries(view: &View<'_>, base: u32) -> Result<u32, SettingsError> {
    match view.count_or_zero("retries", u64::from(base)) {
        0 => Ok(0),
        1 => Ok(1),
        2 => Ok(2),
        other => Err(view.wrong("retries", format!("{other} is too many; give 2 at most"))),
    }
}

fn outlier(view: &View<'_>, base: OutlierPolicy) -> Result<OutlierPolicy, SettingsError> {
    Ok(OutlierPolicy {
        failures: u32::try_from(view.count_or_zero("failures", u64::from(base.failures)))
            .unwrap_or(u32::MAX),
        close: view.duration("close", base.close, false)?,
        close_limit: view.duration("closeLimit", base.close_limit, false)?,
    })
}

fn unpack(view: &View<'_>, base: UnpackLimits) -> Result<UnpackLimits, SettingsError> {
    let bytes = |key, base| view.size(key, base);
    Ok(UnpackLimits {
        archive_size: bytes("archiveSize", base.archive_size)?,
        total_size: bytes("totalSize", base.total_size)?,
        file_size: bytes("fileSize", base.file_size)?,
        metadata_size: bytes("metadataSize", base.metadata_size)?,
        entries: view.count("entries", base.entries)?,
        depth: view.count("depth", base.depth)?,
        ratio: view.count("ratio", base.ratio)?,
    })
}
