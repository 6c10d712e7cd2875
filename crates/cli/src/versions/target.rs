//! `NAME[@VERSION]`: what a command is about.

use std::str::FromStr;

use outrigger::settings::ProviderSettings;
use outrigger::{
    ConfigSource, InstanceName, PluginDefinition, PluginName, PluginVersion, Settings,
};

use crate::failure::Failure;

/// A name, and the version that stands behind an `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    name: String,
    pub(super) version: Option<PluginVersion>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        // The grammar of a plugin's name has that of an instance's in it.
        PluginName::parse(name).map_err(|error| error.to_string())?;
        let version = version.map(PluginVersion::parse).transpose();
        let version = version.map_err(|error| error.to_string())?;
        Ok(Self { name: name.to_owned(), version })
    }
}

impl Target {
    /// The instance of this name or, if there is just one, the instance whose
    /// plugin has this name.
    pub(super) fn instance<'a>(
        &self,
        settings: &'a Settings,
    ) -> Result<(&'a InstanceName, &'a ProviderSettings), Failure> {
        if let Some(found) = self.find(settings)? {
            return Ok(found);
        }
        let known: Vec<&str> = settings.providers.keys().map(InstanceName::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Failure::Failed(format!(
            "`{}` is no configured plugin; the settings have: {known}",
            self.name
        )))
    }

    /// What is to be installed: a version of a configured plugin, or any
    /// plugin's version.
    pub(super) fn definition(&self, settings: &Settings) -> Result<PluginDefinition, Failure> {
        if let Some((_, provider)) = self.find(settings)? {
            let configured = &provider.definition;
            let version = self.version.clone().unwrap_or_else(|| configured.version.clone());
            return Ok(PluginDefinition { version, ..configured.clone() });
        }
        let Some(version) = self.version.clone() else {
            return Err(Failure::Failed(format!(
                "`{0}` is not configured, so that its version must be given: {0}@VERSION",
                self.name
            )));
        };
        let name =
            PluginName::parse(&self.name).map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(PluginDefinition { name, version, config: ConfigSource::None })
    }

    fn find<'a>(
        &self,
        settings: &'a Settings,
    ) -> Result<Option<(&'a InstanceName, &'a ProviderSettings)>, Failure> {
        let instance = self.name.to_ascii_lowercase();
        if let Some(found) = settings.providers.iter().find(|(name, _)| name.as_str() == instance) {
            return Ok(Some(found));
        }
        let of_plugin =
            |(_, provider): &(_, &ProviderSettings)| provider.definition.name.as_str() == self.name;
        let found: Vec<_> = settings.providers.iter().filter(of_plugin).collect();
        match found[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => {
                let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
                Err(Failure::Failed(format!(
                    "plugin `{}` fills several instances; name one of {}",
                    self.name,
                    names.join(", ")
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger::InterfaceName;

    fn settings(providers: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::new("/base").unwrap();
        for (instance, plugin) in providers {
            let definition = PluginDefinition {
                name: plugin.parse().unwrap(),
                version: "1.0.0".parse().unwrap(),
                config: ConfigSource::None,
            };
            let interface = InterfaceName::parse("helloworld").unwrap();
            let provider = ProviderSettings::new(interface, definition);
            settings = settings.with_provider(InstanceName::parse(instance).unwrap(), provider);
        }
        settings
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn a_target_is_an_instance_or_the_one_that_a_plugin_fills() {
        let settings = settings(&[("helloworld", "hello"), ("a", "twice"), ("b", "twice")]);
        for text in ["HelloWorld", "hello", "helloworld@2"] {
            let (instance, _) = target(text).instance(&settings).unwrap();
            assert_eq!(instance.as_str(), "helloworld", "{text}");
        }
        let several = target("twice").instance(&settings).unwrap_err().to_string();
        assert!(several.contains("a, b"), "{several}");
        let unknown = target("x").instance(&settings).unwrap_err().to_string();
        assert!(unknown.contains("a, b, helloworld"), "{unknown}");
    }

    #[test]
    fn what_is_not_configured_is_installed_by_name_and_version() {
        let settings = settings(&[("helloworld", "hello")]);
        let of = |text: &str| target(text).definition(&settings).map(|found| found.version);
        assert_eq!(of("hello").unwrap().as_str(), "1.0.0");
        assert_eq!(of("hello@1.1.0").unwrap().as_str(), "1.1.0");
        assert_eq!(of("other@3").unwrap().as_str(), "3");
        assert!(of("other").unwrap_err().to_string().contains("other@VERSION"));
    }

    #[test]
    fn names_and_versions_that_could_leave_the_directory_are_refused() {
        for text in ["", "@1", "../x@1", "x@", "x@../1", "x@1@2", "x/y"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
