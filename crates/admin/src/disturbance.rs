//! Chaos, as the API takes it.

use std::time::Duration;

use outrigger::Chaos;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where nobody says how long.
const SECONDS: f64 = 10.0;
const MILLISECONDS: f64 = 1_000.0;
const SHARE: f64 = 0.5;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Disturbance {
    /// Its name.
    pub(crate) instance: String,
    /// What is done to it.
    kind: Kind,
    /// How long it lasts, of `freeze`, `slow` and `errors`; 10 unless it says otherwise,
    /// 60 at most for `freeze` and 300 for the others.
    #[serde(default)]
    seconds: Option<f64>,
    /// How long each call waits, of `slow`; 1,000 unless it says otherwise.
    #[serde(default)]
    milliseconds: Option<f64>,
    /// How many of the calls fail, of `errors`, from 0 to 1; 0.5 unless it says
    /// otherwise.
    #[serde(default)]
    share: Option<f64>,
    /// Why, for the audit.
    #[serde(default)]
    #[expect(dead_code, reason = "whoever audits reads it from the request")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// SIGKILL to its process.
    Kill,
    /// SIGSTOP to its process, and SIGCONT later.
    Freeze,
    /// Its calls wait before they are sent.
    Slow,
    /// A share of its calls fails and is not sent.
    Errors,
    /// Whatever lasts of these ends.
    None,
}

impl Disturbance {
    /// # Errors
    ///
    /// What is wrong with the parameters.
    pub(crate) fn chaos(&self) -> Result<Chaos, String> {
        let given = [
            ("seconds", self.seconds, !matches!(self.kind, Kind::Kill | Kind::None)),
            ("milliseconds", self.milliseconds, self.kind == Kind::Slow),
            ("share", self.share, self.kind == Kind::Errors),
        ];
        if let Some((name, ..)) = given.iter().find(|(_, given, fits)| given.is_some() && !fits) {
            return Err(format!("`{name}` says nothing of this kind"));
        }
        let time = |name: &str, seconds: f64| {
            Duration::try_from_secs_f64(seconds).map_err(|error| format!("`{name}`: {error}"))
        };
        let lasts = time("seconds", self.seconds.unwrap_or(SECONDS))?;
        let milliseconds = self.milliseconds.unwrap_or(MILLISECONDS);
        let by = time("milliseconds", milliseconds / 1_000.0)?;
        Ok(match self.kind {
            Kind::Kill => Chaos::Kill,
            Kind::Freeze => Chaos::Freeze { lasts },
            Kind::Slow => Chaos::Slow { by, lasts },
            Kind::Errors => Chaos::Errors { share: self.share.unwrap_or(SHARE), lasts },
            Kind::None => Chaos::None,
        })
    }
}
