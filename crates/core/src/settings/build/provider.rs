//! One provider's part of the settings.

use std::path::PathBuf;

use outrigger_types::{InstanceName, InterfaceName, PluginDefinition, PluginName, PluginVersion};

use super::super::error::SettingsError;
use super::super::{
    EnvironmentProfile, ProviderSettings, ReloadMode, Settings, TlsSettings, Variables,
};
use super::view::View;
use super::{calls, restart, timeouts, values};

pub(super) fn provider(
    view: &View<'_>,
    key: &str,
    base: &Settings,
) -> Result<ProviderSettings, SettingsError> {
    // An absent text is an empty one, whose error says what to give.
    let text = |key| view.text(key).unwrap_or_default();
    let definition = PluginDefinition {
        name: view.parsed(PluginName::parse(text("name")), "name")?,
        version: view.parsed(PluginVersion::parse(text("version")), "version")?,
        config: view.config("config", config_form(view)? == ConfigForm::GoQuorum)?,
    };
    let interface = InterfaceName::parse(view.text("interface").unwrap_or(key));
    let interface = view.parsed(interface, "interface")?;
    let mut provider = ProviderSettings::new(interface, definition);
    provider.reload = view.read("reload", |text| match text {
        "overlapping" => Ok(ReloadMode::Overlapping),
        "exclusive" => Ok(ReloadMode::Exclusive),
        _ => Err(format!(
            "`{}` is no way to reload; give `overlapping` or `exclusive`",
            text.escape_debug()
        )),
    })?;
    provider.required = view.flag("required").unwrap_or(true);
    provider.environment = environment(&view.table("sandbox"))?;
    provider.timeouts = timeouts(&view.table("timeouts"), base.timeouts)?;
    provider.restart = restart(&view.table("restart"), base.restart)?;
    provider.calls = calls(&view.table("calls"), base.calls)?;
    for name in view.texts("after") {
        provider.after.push(view.parsed(InstanceName::parse(&name), "after")?);
    }
    provider.spare = spare(view, provider.reload)?;
    provider.largest_message = view.read("largestMessage", values::message_size)?;
    provider.socket_group = view.read("socketGroup", values::group)?;
    provider.ports = view.read("ports", values::ports)?;
    provider.checksum = view.read("checksum", values::checksum)?;
    provider.tls = tls(&view.table("tls"))?;
    provider.multiplex = view.flag("multiplex");
    provider.variables = variables(&view.table("variables"))?;
    Ok(provider)
}

/// One at most, and none where two may not run.
fn spare(view: &View<'_>, reload: Option<ReloadMode>) -> Result<u32, SettingsError> {
    match view.count_or_zero("spare", 0) {
        0 => Ok(0),
        1 if reload == Some(ReloadMode::Exclusive) => {
            let reason = "`reload` is `exclusive`, so that two never run; remove one of the two";
            Err(view.wrong("spare", reason.to_owned()))
        }
        1 => Ok(1),
        other => Err(view.wrong("spare", format!("{other} is too many; give 0 or 1"))),
    }
}

fn config_form(view: &View<'_>) -> Result<ConfigForm, SettingsError> {
    let form = view.read("configForm", |text| match text {
        "goquorum" => Ok(ConfigForm::GoQuorum),
        "original" => Ok(ConfigForm::Original),
        _ => Err(format!(
            "`{}` is no form of a config; give `goquorum` or `original`",
            text.escape_debug()
        )),
    })?;
    Ok(form.unwrap_or_default())
}

/// How a JSON object or array reaches the plugin.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum ConfigForm {
    /// As GoQuorum writes it again.
    #[default]
    GoQuorum,
    /// As it stands.
    Original,
}

fn environment(sandbox: &View<'_>) -> Result<EnvironmentProfile, SettingsError> {
    if !sandbox.is_there() {
        return Ok(EnvironmentProfile::Compat);
    }
    let pass = sandbox.texts("env");
    match pass.iter().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
        None => Ok(EnvironmentProfile::Strict { pass }),
        Some(name) => Err(sandbox.wrong(
            "env",
            format!(
                "`{}` is no name of a variable; give names such as `HOME`",
                name.escape_debug()
            ),
        )),
    }
}

/// The files that TLS is made of, by their keys.
const TLS_FILES: [&str; 3] = ["certificate", "key", "roots"];

/// What is given by hand needs all of its files, and nothing else may have any.
fn tls(view: &View<'_>) -> Result<Option<TlsSettings>, SettingsError> {
    let given = TLS_FILES.into_iter().chain(["serverName"]).find(|key| view.text(key).is_some());
    let mode = match (view.text("mode"), given) {
        (None, None) => return Ok(None),
        (None, Some(_)) => "given",
        (Some(mode), _) => mode,
    };
    let found = match mode {
        "auto" => TlsSettings::Auto,
        "none" => TlsSettings::None,
        "given" => return given_tls(view).map(Some),
        other => {
            let other = other.escape_debug();
            let reason = format!(
                "`{other}` is no way to secure a connection; give `auto`, `given` with files, or `none`, which is dangerous"
            );
            return Err(view.wrong("mode", reason));
        }
    };
    match given {
        None => Ok(Some(found)),
        Some(key) => {
            let reason = format!("`mode` is `{mode}`, which takes no files; remove one of the two");
            Err(view.wrong(key, reason))
        }
    }
}

fn given_tls(view: &View<'_>) -> Result<TlsSettings, SettingsError> {
    let file = |key| -> Result<PathBuf, SettingsError> {
        view.path(key)?.ok_or_else(|| {
            let reason = "is missing; TLS that is given takes `certificate`, `key` and `roots`";
            view.wrong(key, reason.to_owned())
        })
    };
    let [certificate, key, roots] = TLS_FILES.map(file);
    let server_name = view.text("serverName").map(str::to_owned);
    if server_name.as_deref() == Some("") {
        let reason = "is empty; give the name in the plugin's certificate, such as `localhost`";
        return Err(view.wrong("serverName", reason.to_owned()));
    }
    Ok(TlsSettings::Given { certificate: certificate?, key: key?, roots: roots?, server_name })
}

fn variables(view: &View<'_>) -> Result<Variables, SettingsError> {
    let mut variables = Variables::default();
    for (name, value) in view.pairs() {
        values::variable(name, value).map_err(|reason| view.wrong(name, reason))?;
        variables.set(name, value);
    }
    Ok(variables)
}
