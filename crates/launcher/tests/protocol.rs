//! Messages as both sides see them: their JSON, their limits, and a socket that
//! delivers them in pieces.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use outrigger_launcher::{
    ByteString, ChannelError, Command, End, Exec, Inbox, MAX_SPEC, Outgoing, Received, Report,
    Sent, Spec, SpecError, Stage, control_pair, recv_report, send_command, send_spec,
};
use rustix::io::Errno;
use rustix::net::{
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, recv, send, sendmsg, shutdown,
};

const LIMIT: Duration = Duration::from_secs(25);
const NOTHING: Option<OwnedFd> = None;

fn spec() -> Spec {
    Spec::new(Exec::Path("/plugin".into()), ["plugin", "--serve"], "/work")
        .with_env("KEY", "secret")
}

/// The bytes of a message on the wire.
fn bytes_of(report: &Report) -> Vec<u8> {
    let (reader, writer) = control_pair().unwrap();
    Outgoing::new(report, NOTHING).unwrap().send_within(&writer, LIMIT).unwrap();
    let mut bytes = vec![0; 4096];
    let (_, length) =
        recv(&reader, bytes.as_mut_slice(), rustix::net::RecvFlags::DONTWAIT).unwrap();
    bytes.truncate(length);
    bytes
}

#[test]
fn the_json_of_each_message_is_stable() {
    let json = |report: &Report| serde_json::to_string(report).unwrap();
    assert_eq!(
        serde_json::to_string(&spec()).unwrap(),
        r#"{"exec":{"path":"/plugin"},"argv":["plugin","--serve"],"env":[["KEY","secret"]],"cwd":"/work","core_dumps":false}"#
    );
    assert_eq!(serde_json::to_string(&Exec::Memfd).unwrap(), r#""memfd""#);
    assert_eq!(serde_json::to_string(&Command::Kill).unwrap(), r#""kill""#);
    let errno = 2;
    let stage = Stage::Exec;
    assert_eq!(
        json(&Report::ExecFailed { stage, errno }),
        r#"{"exec-failed":{"stage":"exec","errno":2}}"#
    );
    let end = End::Signal { signal: 9, core: true };
    assert_eq!(
        json(&Report::Exited { end }),
        r#"{"exited":{"end":{"signal":{"signal":9,"core":true}}}}"#
    );
}

#[test]
fn debug_shows_names_of_variables_and_no_values() {
    let text = format!("{:?}", spec());
    assert!(text.contains("KEY") && !text.contains("secret"), "{text}");
}

#[test]
fn a_spec_is_checked_for_what_no_program_can_be_started_with() {
    assert_eq!(spec().check(), Ok(()));
    assert_eq!(spec().with_env("=odd", "").check(), Ok(()));
    for name in ["", "A=B", "=A=B"] {
        let error = spec().with_env(name, "").check().unwrap_err();
        assert_eq!(error, SpecError::Name(name.into()));
    }
    let nul = ByteString(vec![0]);
    for broken in [
        spec().with_env("A", nul.clone()),
        spec().with_env(nul.clone(), "A"),
        Spec { cwd: nul.clone(), ..spec() },
        Spec { exec: Exec::Path(nul.clone()), ..spec() },
        Spec { argv: vec![nul], ..spec() },
    ] {
        assert!(matches!(broken.check(), Err(SpecError::Nul(_))));
    }
}

#[test]
fn a_spec_over_the_limit_is_not_even_sent() {
    let (host, launcher) = control_pair().unwrap();
    let large = spec().with_env("A", "x".repeat(MAX_SPEC));
    assert!(matches!(
        send_spec(&host, &large, None, LIMIT),
        Err(ChannelError::TooLarge { max: MAX_SPEC, .. })
    ));
    let mut inbox = Inbox::<Spec>::new();
    assert!(matches!(inbox.receive(&launcher), Ok(Received::Pending)));
}

#[test]
fn a_spec_larger_than_the_sockets_buffer_goes_out_in_pieces() {
    let (host, launcher) = control_pair().unwrap();
    let large = spec().with_env("A", "x".repeat(MAX_SPEC - 1024));
    let mut outgoing = Outgoing::new(&large, Some(host.as_fd())).unwrap();
    let mut inbox = Inbox::<Spec>::new();
    let mut pieces = 0;
    while outgoing.send(&host).unwrap() == Sent::Pending {
        pieces += 1;
        assert!(matches!(inbox.receive(&launcher), Ok(Received::Pending)));
    }
    assert!(pieces > 0);
    let Ok(Received::Message(received, Some(_))) = inbox.receive(&launcher) else {
        panic!("no message");
    };
    assert_eq!(received, large);
}

#[test]
fn a_message_that_comes_byte_by_byte_is_assembled() {
    let (host, launcher) = control_pair().unwrap();
    let report = Report::Started { pid: 7 };
    let bytes = bytes_of(&report);
    let mut inbox = Inbox::<Report>::new();
    for byte in &bytes[..bytes.len() - 1] {
        send(&launcher, &[*byte], SendFlags::empty()).unwrap();
        assert!(matches!(inbox.receive(&host), Ok(Received::Pending)));
    }
    send(&launcher, &bytes[bytes.len() - 1..], SendFlags::empty()).unwrap();
    let (received, _) = inbox.receive_within(&host, LIMIT).unwrap();
    assert_eq!(received, report);
}

#[test]
fn a_descriptor_stays_with_its_own_message() {
    let (host, launcher) = control_pair().unwrap();
    let say = |report: &Report, with: Option<BorrowedFd<'_>>| {
        let outgoing = Outgoing::new(report, with).unwrap();
        outgoing.send_within(&launcher, LIMIT).unwrap();
    };
    let swept = Report::Swept { killed: 1, left: 0 };
    say(&swept, None);
    say(&Report::Started { pid: 7 }, Some(launcher.as_fd()));
    say(&swept, None);
    for expected in [false, true, false] {
        let (_, descriptor) = recv_report(&host, LIMIT).unwrap();
        assert_eq!(descriptor.is_some(), expected);
    }
}

#[test]
fn more_than_one_descriptor_is_an_error() {
    for count in [2, 3] {
        let (host, launcher) = control_pair().unwrap();
        let mut space = [const { std::mem::MaybeUninit::uninit() }; 128];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let several = vec![launcher.as_fd(); count];
        assert!(control.push(SendAncillaryMessage::ScmRights(&several)));
        let bytes = bytes_of(&Report::Started { pid: 7 });
        let pieces = [std::io::IoSlice::new(&bytes)];
        sendmsg(&launcher, &pieces, &mut control, SendFlags::empty()).unwrap();
        let error = recv_report(&host, LIMIT).unwrap_err();
        assert!(matches!(error, ChannelError::Descriptors), "{error}");
    }
}

#[test]
fn a_closed_socket_is_told_from_a_cut_message_and_from_silence() {
    let (host, launcher) = control_pair().unwrap();
    let instant = Duration::from_millis(1);
    assert!(matches!(recv_report(&host, instant), Err(ChannelError::TimedOut(_))));
    send(&launcher, b"ORL", SendFlags::empty()).unwrap();
    shutdown(&launcher, Shutdown::Write).unwrap();
    assert!(matches!(recv_report(&host, LIMIT), Err(ChannelError::Truncated { got: 3 })));
    assert!(matches!(recv_report(&host, LIMIT), Err(ChannelError::Closed)));
    drop(launcher);
    let Err(ChannelError::Io(error)) = send_command(&host, Command::Kill, LIMIT) else {
        panic!("it was sent");
    };
    assert_eq!(Errno::from_io_error(&error), Some(Errno::PIPE));
}

#[test]
fn a_reader_that_does_not_read_runs_into_the_time_limit() {
    let (host, _launcher) = control_pair().unwrap();
    let large = spec().with_env("A", "x".repeat(MAX_SPEC - 1024));
    assert!(matches!(
        send_spec(&host, &large, None, Duration::from_millis(1)),
        Err(ChannelError::TimedOut(_))
    ));
}
