//! The form in which Terraform's tools hand reattach items over: a JSON object
//! from a name to the items.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reattach;
use crate::handshake::{Address, HandshakeError, shorten};

/// Why a text holds no reattach items.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReattachError {
    /// It is no JSON of the right form.
    #[error(
        "the reattach items are no JSON object from a name to `{{\"Protocol\", \"ProtocolVersion\", \"Pid\", \"Test\", \"Addr\": {{\"Network\", \"String\"}}}}`: {0}"
    )]
    Form(#[from] serde_json::Error),
    /// An entry is for net/rpc, or for nothing that is known.
    #[error("the reattach items of `{name}` are for protocol `{protocol}`; this host speaks `grpc`{}", if .protocol.is_empty() { ", and an empty one means net/rpc" } else { "" })]
    Protocol {
        /// The entry.
        name: String,
        /// What it says.
        protocol: String,
    },
    /// An entry's address cannot be used.
    #[error("the reattach items of `{name}` cannot be used: {source}")]
    Address {
        /// The entry.
        name: String,
        /// What is wrong with the address.
        source: HandshakeError,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Items {
    #[serde(default)]
    protocol: String,
    #[serde(default)]
    protocol_version: u32,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    test: bool,
    addr: Addr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_time: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Addr {
    network: String,
    string: String,
}

impl Reattach {
    /// Reads items by name: `{"NAME": {"Protocol": "grpc", "ProtocolVersion": 5,
    /// "Pid": 7, "Test": true, "Addr": {"Network": "unix", "String": "/x"}}}`,
    /// with `StartTime` beside them if somebody noted it. Other keys are ignored.
    ///
    /// # Errors
    ///
    /// [`ReattachError`] names the entry.
    pub fn from_json(text: &str) -> Result<BTreeMap<String, Self>, ReattachError> {
        let entries: BTreeMap<String, Items> = serde_json::from_str(text)?;
        entries.into_iter().map(|(name, items)| read(&name, items).map(|it| (name, it))).collect()
    }

    /// Writes items in the form that [`from_json`](Self::from_json) reads. An
    /// identity is not part of them.
    #[must_use]
    pub fn to_json(entries: &BTreeMap<String, Self>) -> String {
        let items = |reattach: &Self| Items {
            protocol: "grpc".to_owned(),
            protocol_version: reattach.version,
            pid: reattach.pid.unwrap_or_default(),
            test: reattach.test,
            addr: Addr {
                network: reattach.address.network().to_owned(),
                string: reattach.address.text(),
            },
            start_time: reattach.start_time,
        };
        let entries: BTreeMap<_, _> =
            entries.iter().map(|(name, reattach)| (name, items(reattach))).collect();
        serde_json::to_string(&entries).expect("invariant: texts and numbers are JSON")
    }
}

fn read(name: &str, items: Items) -> Result<Reattach, ReattachError> {
    if items.protocol != "grpc" {
        let protocol = shorten(&items.protocol);
        return Err(ReattachError::Protocol { name: shorten(name), protocol });
    }
    let address = Address::parse(&items.addr.network, &items.addr.string)
        .map_err(|source| ReattachError::Address { name: shorten(name), source })?;
    Ok(Reattach {
        version: items.protocol_version,
        address,
        pid: (items.pid != 0).then_some(items.pid),
        start_time: items.start_time,
        test: items.test,
        handover: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As terraform-plugin-go prints it.
    const TERRAFORM: &str = r#"{"registry.terraform.io/a/b":{"Protocol":"grpc","ProtocolVersion":6,"Pid":3382870,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin713096927"}}}"#;

    #[test]
    fn terraform_s_form_is_read_and_written() {
        let entries = Reattach::from_json(TERRAFORM).unwrap();
        let items = &entries["registry.terraform.io/a/b"];
        assert_eq!(items.version, 6);
        assert_eq!(items.pid, Some(3_382_870));
        assert!(items.test && items.start_time.is_none());
        assert_eq!(items.address, Address::Unix("/tmp/plugin713096927".into()));
        assert_eq!(Reattach::to_json(&entries), TERRAFORM);
    }

    #[test]
    fn a_start_time_may_stand_beside_them_and_other_keys_are_ignored() {
        let text = r#"{"x":{"Protocol":"grpc","Pid":7,"StartTime":9,"New":[],"Addr":{"Network":"tcp","String":"127.0.0.1:1"}}}"#;
        let entries = Reattach::from_json(text).unwrap();
        assert_eq!(entries["x"].start_time, Some(9));
        assert!(Reattach::to_json(&entries).contains("\"StartTime\":9"));
    }

    #[test]
    fn an_empty_protocol_means_net_rpc_and_is_refused_by_name() {
        for (protocol, expected) in [("", "an empty one means net/rpc"), ("netrpc", "`netrpc`")] {
            let text = TERRAFORM.replace("\"grpc\"", &format!("{protocol:?}"));
            let error = Reattach::from_json(&text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("terraform.io/a/b"), "{error}");
        }
    }

    #[test]
    fn what_is_of_another_form_or_elsewhere_is_refused() {
        for text in ["", "[]", "{\"x\":1}", "{\"x\":{\"Protocol\":\"grpc\"}}"] {
            let error = Reattach::from_json(text).unwrap_err();
            assert!(matches!(error, ReattachError::Form(_)), "{error}");
        }
        let elsewhere =
            TERRAFORM.replace("unix", "tcp").replace("/tmp/plugin713096927", "10.0.0.1:1");
        let error = Reattach::from_json(&elsewhere).unwrap_err();
        assert!(error.to_string().contains("only loopback"), "{error}");
    }
}
