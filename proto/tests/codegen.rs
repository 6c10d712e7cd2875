//! Regenerates the code from the `.proto` files and compares it with what is
//! committed, so that nobody needs protoc and no wire change goes unseen.
//! `UPDATE_GENERATED=1 cargo test -p outrigger-proto` writes instead.

use std::fs;
use std::path::Path;

use prost::Message as _;

const PROTOS: [&str; 12] = [
    "plugin/grpc_broker.proto",
    "plugin/grpc_controller.proto",
    "plugin/grpc_stdio.proto",
    "grpc/health/v1/health.proto",
    "quorum/init.proto",
    "quorum/helloworld.proto",
    "quorum/account.proto",
    "quorum/security.proto",
    "quorum/qlight_token_manager.proto",
    "outrigger/metrics.proto",
    "outrigger/opentelemetry.proto",
    "probe/probe.proto",
];

#[test]
fn committed_code_is_what_the_proto_files_generate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().unwrap();
    let mut descriptors = protox::compile(PROTOS, [root.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .bytes(".")
        .out_dir(fresh.path())
        .compile_fds(descriptors.clone())
        .unwrap();
    for file in &mut descriptors.file {
        // Comments, which nobody asks a server for.
        file.source_code_info = None;
    }
    fs::write(fresh.path().join("descriptors.bin"), descriptors.encode_to_vec()).unwrap();

    let committed = root.join("src/generated");
    let update = std::env::var_os("UPDATE_GENERATED").is_some();
    let mut names = Vec::new();
    for entry in fs::read_dir(fresh.path()).unwrap() {
        let name = entry.unwrap().file_name();
        let new = fs::read(fresh.path().join(&name)).unwrap();
        let old = fs::read(committed.join(&name)).unwrap_or_default();
        if update && new != old {
            fs::write(committed.join(&name), &new).unwrap();
        } else {
            assert!(
                new == old,
                "{name:?} is stale; run UPDATE_GENERATED=1 cargo test -p outrigger-proto"
            );
        }
        names.push(name);
    }
    for entry in fs::read_dir(&committed).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(names.contains(&name), "{name:?} comes from no .proto file; delete it");
    }
}

/// Peers know methods by these texts and by nothing else.
#[test]
fn method_paths_are_the_contract_s() {
    let code = |package: &str| {
        let file = format!("{}/src/generated/{package}.rs", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(file).unwrap()
    };
    for (package, path) in [
        ("plugin", "/plugin.GRPCBroker/StartStream"),
        ("plugin", "/plugin.GRPCController/Shutdown"),
        ("plugin", "/plugin.GRPCStdio/StreamStdio"),
        ("grpc.health.v1", "/grpc.health.v1.Health/Check"),
        ("grpc.health.v1", "/grpc.health.v1.Health/Watch"),
        ("grpc.health.v1", "/grpc.health.v1.Health/List"),
        ("proto_common", "/proto_common.PluginInitializer/Init"),
        ("proto", "/proto.PluginGreeting/Greeting"),
        ("proto", "/proto.AccountService/Status"),
        ("proto", "/proto.AccountService/Open"),
        ("proto", "/proto.AccountService/Close"),
        ("proto", "/proto.AccountService/Accounts"),
        ("proto", "/proto.AccountService/Contains"),
        ("proto", "/proto.AccountService/Sign"),
        ("proto", "/proto.AccountService/UnlockAndSign"),
        ("proto", "/proto.AccountService/TimedUnlock"),
        ("proto", "/proto.AccountService/Lock"),
        ("proto", "/proto.AccountService/NewAccount"),
        ("proto", "/proto.AccountService/ImportRawKey"),
        ("proto", "/proto.TLSConfigurationSource/Get"),
        ("proto", "/proto.AuthenticationManager/Authenticate"),
        ("proto", "/proto.PluginQLightTokenRefresher/PluginQLightTokenManager"),
        ("proto", "/proto.PluginQLightTokenRefresher/TokenRefresh"),
    ] {
        assert!(code(package).contains(&format!("\"{path}\"")), "{path} is missing");
    }
}
