//! `outrigger run` with its admin API.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use outrigger_testkit::artifacts;
use outrigger_testkit::kit::Kit;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A host in a process of its own.
pub(crate) struct Running {
    pub(crate) child: Child,
    _lines: BufReader<ChildStdout>,
    pub(crate) ready: Value,
}

impl Running {
    pub(crate) fn on(kit: &Kit, arguments: &[&str]) -> Self {
        let mut child = Command::new(artifacts::command())
            .args(["run", "--json", "--plugins.skipverify", "--plugins", &kit.settings_url()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self { child, _lines: lines, ready }
    }

    pub(crate) fn socket(&self) -> String {
        self.ready["admin"]["socket"].as_str().unwrap().to_owned()
    }

    pub(crate) fn address(&self) -> String {
        self.ready["admin"]["address"].as_str().unwrap().to_owned()
    }

    /// A token of this run.
    pub(crate) fn token(&self, name: &str) -> String {
        let full = PathBuf::from(self.ready["admin"]["token"].as_str().unwrap());
        std::fs::read_to_string(full.with_file_name(name)).unwrap()
    }

    /// Runs a command that talks to this host.
    pub(crate) fn outrigger(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(artifacts::command());
        command.args(arguments).args(["--socket", &self.socket()]);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// The same, for what it prints as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.outrigger(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Calls a method over TCP with this token.
    pub(crate) fn call(&self, token: &str, method: &str, params: Value) -> (u16, Value) {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let headers = format!("Authorization: Bearer {token}");
        let (status, text) = self.ask("POST", "/", &[&headers], &body.to_string());
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Asks over TCP, with the address as `Host` unless a header says otherwise.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> (u16, String) {
        let address = self.address();
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            request.push_str(&format!("Host: {address}\r\n"));
        }
        headers.iter().for_each(|header| request.push_str(&format!("{header}\r\n")));
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Asks it to end.
    pub(crate) fn ends(mut self) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    /// A test that failed leaves no host behind.
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
