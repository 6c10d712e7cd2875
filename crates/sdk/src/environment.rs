//! What the host says in the environment, and how not to hand it on.

use std::process::Command;

use outrigger_transport::serve::{HostRequest, VARIABLES};

use crate::sys;

/// Removes the variables of the protocol, by which a host talks to this plugin
/// alone, from what `command` hands to a child. Without it a child that is a
/// plugin itself, started by a host that does not remove them, takes this
/// plugin's TLS and multiplexing for its own; `outrigger` is a host that does.
///
/// [`Plugin::run`](crate::Plugin::run) and [`serve`](crate::Plugin::serve) take
/// them out of the process's own environment, so that no child sees them, if
/// they are called while the process has one thread. Where threads were started
/// before, the environment cannot be changed safely, and this is for you to
/// call.
pub fn scrub(command: &mut Command) -> &mut Command {
    for name in VARIABLES {
        command.env_remove(name);
    }
    command
}

/// Reads the host's request and takes it out of the environment, if that is
/// safe.
pub(crate) fn take_request() -> HostRequest {
    let request = HostRequest::from_environment();
    let _kept = sys::remove_variables(&VARIABLES);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it is not started")]
    fn a_scrubbed_command_hands_no_variable_of_the_protocol_on() {
        let mut command = Command::new("/bin/true");
        command.env("PLUGIN_CLIENT_CERT", "x").env("MINE", "y");
        scrub(&mut command);
        let removed = command.get_envs().filter(|(_, value)| value.is_none()).count();
        assert_eq!(removed, VARIABLES.len());
        assert!(command.get_envs().any(|(name, value)| name == "MINE" && value.is_some()));
    }
}
