//! GoQuorum's four plugins in Go and in Java.

use super::jvm_node::JAVA;
use super::{Foreign, GO, program};

pub(super) const QUORUM: [Foreign; 2] = [
    Foreign {
        name: "quorum-go",
        tool: "go",
        version: "version",
        install: GO,
        build: |target| program("quorum-go", target),
        fetched: false,
    },
    // Maven starts no build without a JDK.
    Foreign {
        name: "quorum-java",
        tool: "mvn",
        version: "--version",
        install: JAVA,
        build: |target| program("quorum-java", target),
        fetched: false,
    },
];
