//! Regenerates the code of the examples from their `.proto` files and compares
//! it with what is committed, so that nobody needs protoc.
//! `UPDATE_GENERATED=1 cargo test -p outrigger --test example_codegen` writes
//! instead.

use std::fs;
use std::path::Path;

#[test]
fn committed_code_is_what_the_proto_files_generate() {
    // Each example, and its package.
    for (example, package) in [("own_interface", "oracle"), ("kv", "kv")] {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        let fresh = tempfile::tempdir().unwrap();
        let descriptors = protox::compile([format!("{package}.proto")], [&example]).unwrap();
        tonic_prost_build::configure().out_dir(fresh.path()).compile_fds(descriptors).unwrap();

        let new = fs::read_to_string(fresh.path().join(format!("{package}.rs"))).unwrap();
        let committed = example.join("generated.rs");
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&committed, new).unwrap();
            continue;
        }
        assert!(
            fs::read_to_string(&committed).unwrap_or_default() == new,
            "{} is stale; run UPDATE_GENERATED=1 cargo test -p outrigger --test example_codegen",
            committed.display()
        );
    }
}
