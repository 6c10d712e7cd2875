//! What a host would find for each configured plugin.

use outrigger::distribution::{
    DiscoveryError, Distribution, EntryKind, LocateError, Resolver, VerifiedBy, Warning, locate,
};
use outrigger::settings::{ProcessEnv, ProviderSettings, read_config};
use outrigger::{InstanceName, PluginDefinition};

use super::file;
use super::report::Report;
use crate::failure::chain;

/// `central`: whether what is not here would be fetched.
pub(super) fn check(
    report: &mut Report,
    resolver: &Resolver,
    central: bool,
    (instance, provider): (&InstanceName, &ProviderSettings),
) {
    let definition = &provider.definition;
    let named = |what: &str| format!("{instance}-{what}");
    match read_config(&definition.config, &ProcessEnv) {
        Ok(_) => report.ok(named("config"), "it can be read"),
        Err(error) => report.fail(
            named("config"),
            chain(&error),
            "correct `config`, or let the host's user read the file",
        ),
    }
    let located = match locate(&resolver.base_dir, definition, &resolver.platform) {
        Ok(located) => located,
        Err(LocateError::NotFound { .. }) if central => {
            return report
                .skip(named("distribution"), "it is not here, and is fetched at the start");
        }
        Err(error) => {
            return report.fail(
                named("distribution"),
                chain(&error),
                "install it (outrigger install), or correct name and version",
            );
        }
    };
    let distribution = match Distribution::open(&located.path, &resolver.limits) {
        Ok(distribution) => distribution,
        Err(error) => {
            return report.fail(named("distribution"), chain(&error), "copy it again");
        }
    };
    report.ok(named("distribution"), located.path.display().to_string());
    match resolver.verifier.verify_definition(definition, &located.path, &distribution.digest()) {
        Ok(VerifiedBy::Nobody) => report.warn(
            named("signature"),
            "verification is switched off",
            "start the host with --plugins.localverify",
        ),
        Ok(by) => report.ok(named("signature"), format!("signed by {by}")),
        Err(error) => report.fail(
            named("signature"),
            chain(&error),
            "get the signature that belongs to this zip, or the key that made it",
        ),
    }
    contents(report, resolver, &named, definition, &distribution);
    match resolver.check_version(instance, definition) {
        Ok(None) => {}
        Ok(Some(warning)) => {
            report.warn(named("version"), warning.to_string(), "upgrade, or go on if that is meant")
        }
        Err(error) => report.fail(
            named("version"),
            chain(&error),
            "upgrade, or allow it by `verification.downgrade`",
        ),
    }
}

fn contents(
    report: &mut Report,
    resolver: &Resolver,
    named: &dyn Fn(&str) -> String,
    definition: &PluginDefinition,
    distribution: &Distribution,
) {
    let mut contents = match distribution.contents(&resolver.limits, &resolver.platform) {
        Ok(contents) => contents,
        Err(DiscoveryError::EntryPoint(error)) => {
            return report.fail(
                named("entry-point"),
                chain(&error),
                "install the distribution for this machine, packed with its permissions",
            );
        }
        Err(error) => {
            return report.fail(
                named("contents"),
                chain(&error),
                "copy it again, or have the publisher pack it again",
            );
        }
    };
    let warnings = contents.metadata().compare(definition, &resolver.platform);
    let other =
        |warning: &&Warning| matches!(warning, Warning::Name { .. } | Warning::Version { .. });
    match warnings.iter().find(other) {
        None => report.ok(named("metadata"), "it has the name and version of the settings"),
        Some(warning) => report.fail(
            named("metadata"),
            warning.to_string(),
            "install the right zip under this name",
        ),
    }
    let tree = match tempfile::tempdir() {
        Ok(tree) => tree,
        Err(error) => {
            return report.fail(
                named("contents"),
                error.to_string(),
                "make room in the temporary directory",
            );
        }
    };
    if let Err(error) = contents.unpack(tree.path()) {
        return report.fail(named("contents"), chain(&error), "copy it again");
    }
    let program = tree.path().join(&contents.metadata().entry_point);
    let kind = if contents.entry_kind() == EntryKind::Script {
        "a script"
    } else {
        "a program for this machine"
    };
    file::parts(report, &named("entry-point"), &program, kind);
    // Unpacked directories cannot be written to, and are to be removed.
    file::open_up(tree.path());
}
