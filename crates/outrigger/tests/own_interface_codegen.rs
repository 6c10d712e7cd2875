//! Regenerates the code of `examples/own_interface` from its `.proto` file and
//! compares it with what is committed, so that nobody needs protoc.
//! `UPDATE_GENERATED=1 cargo test -p outrigger --test own_interface_codegen`
//! writes instead.

use std::fs;
use std::path::Path;

#[test]
fn committed_code_is_what_the_proto_file_generates() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own_interface");
    let fresh = tempfile::tempdir().unwrap();
    let descriptors = protox::compile(["oracle.proto"], [&example]).unwrap();
    tonic_prost_build::configure().out_dir(fresh.path()).compile_fds(descriptors).unwrap();

    // Named after the package.
    let new = fs::read_to_string(fresh.path().join("oracle.rs")).unwrap();
    let committed = example.join("generated.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&committed, new).unwrap();
        return;
    }
    assert!(
        fs::read_to_string(&committed).unwrap_or_default() == new,
        "generated.rs is stale; run UPDATE_GENERATED=1 cargo test -p outrigger --test \
         own_interface_codegen"
    );
}
