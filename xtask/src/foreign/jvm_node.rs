//! Programs in Node and Java: the hello worlds, the plugins of the interop matrix,
//! and what drives a browser.

use std::path::Path;

use super::{Foreign, program, script};

const NODE: &str = "apt-get install nodejs npm, at Node 20 or newer";
pub(super) const JAVA: &str = "apt-get install openjdk-17-jdk-headless maven";

pub(super) const JVM_NODE: [Foreign; 5] = [
    node("hello-node", |target| script("node", target)),
    node("interop-node", |target| program("node", target)),
    node("browser", |target| program("browser", target)),
    java("hello-java", |target| script("java", target)),
    java("interop-java", |target| program("java", target)),
];

/// npm comes with Node, but for Debian's.
const fn node(name: &'static str, build: fn(&Path) -> Result<(), String>) -> Foreign {
    Foreign { name, tool: "npm", version: "--version", install: NODE, build, fetched: false }
}

/// Maven starts no build without a JDK.
const fn java(name: &'static str, build: fn(&Path) -> Result<(), String>) -> Foreign {
    Foreign { name, tool: "mvn", version: "--version", install: JAVA, build, fetched: false }
}
