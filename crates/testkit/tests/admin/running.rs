//! `outrigger run` with its admin API.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use outrigger_testkit::artifacts;
use outrigger_testkit::hosted::Hosted;
use outrigger_testkit::kit::Kit;
use serde_json::{Value, json};

/// A host in a process of its own.
pub(crate) struct Running(pub(crate) Hosted);

impl Running {
    pub(crate) fn on(kit: &Kit, arguments: &[&str]) -> Self {
        let url = kit.settings_url();
        let first = ["--plugins.skipverify", "--plugins", &url];
        Self(Hosted::run(&[first.as_slice(), arguments].concat()))
    }

    /// The same, with what it logs in a file.
    pub(crate) fn logged(kit: &Kit, arguments: &[&str], log: &Path) -> Self {
        let mut command = Command::new(artifacts::command());
        command.args(["run", "--json", "--log-format", "json", "--plugins.skipverify"]);
        command.args(["--plugins", &kit.settings_url()]).args(arguments);
        command.stderr(File::create(log).unwrap());
        Self(Hosted::start(command))
    }

    pub(crate) fn socket(&self) -> String {
        self.0.ready["admin"]["socket"].as_str().unwrap().to_owned()
    }

    pub(crate) fn address(&self) -> String {
        self.0.ready["admin"]["address"].as_str().unwrap().to_owned()
    }

    /// A token of this run.
    pub(crate) fn token(&self, name: &str) -> String {
        let full = PathBuf::from(self.0.ready["admin"]["token"].as_str().unwrap());
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

    /// The head of what is answered to whoever has no token.
    pub(crate) fn head(&self, path: &str) -> String {
        let address = self.address();
        let mut stream = TcpStream::connect(&address).unwrap();
        let request =
            format!("HEAD {path} HTTP/1.1\r\nConnection: close\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        stream.read_to_string(&mut head).unwrap();
        head
    }

    pub(crate) fn ends(self) {
        self.0.stop();
    }
}
