//! The variable that names plugins which run already, as in a debugger.

use std::collections::BTreeMap;

use outrigger_transport::Reattach;
use outrigger_types::InstanceName;

use super::Env;
use super::error::{Origin, Place, SettingsError};

/// The variable's name. Its value is a JSON object from an instance's name to
/// where the plugin runs, in the form that Terraform's tools print.
pub const REATTACH_VARIABLE: &str = "OUTRIGGER_REATTACH_PLUGINS";

/// What the variable says; nothing where it is unset or empty. Names of
/// instances match in any case.
///
/// # Errors
///
/// [`SettingsError::Value`] for a value of another form, a name that no
/// instance can have, or one that is given twice.
pub fn reattached(env: &dyn Env) -> Result<BTreeMap<InstanceName, Reattach>, SettingsError> {
    let Some(value) = env.var(REATTACH_VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let wrong = |reason: String| SettingsError::Value {
        place: Place {
            origin: Origin::Variable(REATTACH_VARIABLE.to_owned()),
            position: None,
            key: String::new(),
        },
        reason,
    };
    let text = value.into_string().map_err(|_| wrong("is not UTF-8; correct it".to_owned()))?;
    let entries = Reattach::from_json(&text).map_err(|error| wrong(error.to_string()))?;
    let mut found = BTreeMap::new();
    for (name, reattach) in entries {
        let name = InstanceName::parse(&name).map_err(|error| wrong(error.to_string()))?;
        if found.insert(name.clone(), reattach).is_some() {
            return Err(wrong(format!("`{name}` is given twice; keep one of the two")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<BTreeMap<InstanceName, Reattach>, String> {
        let env = BTreeMap::from([(REATTACH_VARIABLE.to_owned(), value.to_owned())]);
        reattached(&env).map_err(|error| error.to_string())
    }

    #[test]
    fn plugins_that_run_are_named_in_terraform_s_form() {
        let found = read(
            r#"{"HelloWorld": {"Protocol": "grpc", "ProtocolVersion": 1, "Pid": 7, "Test": true,
                "Addr": {"Network": "unix", "String": "/tmp/plugin1"}}}"#,
        );
        let found = found.unwrap();
        let hello = &found["helloworld"];
        assert_eq!((hello.version, hello.pid, hello.test), (1, Some(7), true));
    }

    #[test]
    fn an_unset_or_empty_variable_names_nothing() {
        assert!(read("").unwrap().is_empty());
        assert!(reattached(&BTreeMap::<String, String>::new()).unwrap().is_empty());
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_by_the_variable_s_name() {
        let entry = r#"{"Protocol": "grpc", "Addr": {"Network": "unix", "String": "/x"}}"#;
        let rows = [
            ("[]".to_owned(), "no JSON object from a name"),
            (format!(r#"{{"a b": {entry}}}"#), "instance name `a b`"),
            (format!(r#"{{"a": {entry}, "A": {entry}}}"#), "`a` is given twice"),
            (r#"{"a": {"Addr": {"Network": "unix", "String": "/x"}}}"#.to_owned(), "net/rpc"),
        ];
        for (value, part) in rows {
            let error = read(&value).unwrap_err();
            let start = format!("environment variable {REATTACH_VARIABLE}: ");
            assert!(error.starts_with(&start) && error.contains(part), "{error}");
        }
    }
}
