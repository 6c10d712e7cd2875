//! The way back, and that it leads to what the way there takes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_discovery::{
    DiscoveryError, EntryKindProblem, IfExists, KeyAlgorithm, NameProblem, PackError, PackOptions,
    Packed, Refusal, Resolver, SigningKey, Verification, pack, sign,
};
use tempfile::TempDir;

use crate::forge::{METADATA, SCRIPT};
use crate::support::{LINUX, ZIP, definition, modes};

type Spoil = Box<dyn Fn(&Source)>;

struct Source {
    root: TempDir,
}

impl Source {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for dir in ["plugin/lib", "out"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let source = Self { root };
        source.write("plugin-meta.json", METADATA);
        source.write("acme", SCRIPT);
        source.write("lib/data", "data");
        fs::set_permissions(source.path("acme"), fs::Permissions::from_mode(0o711)).unwrap();
        source
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("plugin")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn output(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn pack(&self) -> Result<Packed, PackError> {
        self.pack_with(|_| {})
    }

    fn pack_with(&self, change: impl Fn(&mut PackOptions)) -> Result<Packed, PackError> {
        let mut options = PackOptions { platform: LINUX, ..PackOptions::default() };
        change(&mut options);
        pack(&self.directory(), &self.output(), &options)
    }

    fn refused(&self, what: &str) -> PackError {
        let error = self.pack().expect_err(what);
        assert_eq!(fs::read_dir(self.output()).unwrap().count(), 0, "{what} left something");
        error
    }
}

#[test]
fn what_was_packed_and_signed_is_resolved_again() {
    let source = Source::new();
    let packed = source.pack().unwrap();
    assert_eq!(packed.path, source.output().join(ZIP));
    let key = SigningKey::generate("Acme", KeyAlgorithm::EcdsaP256, None).unwrap();
    let signed = sign(&packed.path, &key, None).unwrap();
    assert_eq!(signed.digest, packed.digest);
    let public_key = source.root.path().join("key.asc");
    key.write_public(&public_key, IfExists::Refuse).unwrap();
    let resolver = Resolver {
        base_dir: source.output(),
        run_dir: source.root.path().join("run"),
        verifier: Arc::new(Verification::LocalKey { public_key, signature_dir: source.output() }),
        limits: outrigger_discovery::Limits::default(),
        platform: LINUX,
        central: None,
        rules: outrigger_discovery::Rules::default(),
    };
    let resolved = resolver.resolve(&definition(), None, &|| Duration::ZERO).unwrap();
    assert_eq!(resolved.digest, packed.digest);
    assert_eq!(resolved.warnings, []);
    let expected = [
        ("", 0o500),
        ("acme", 0o500),
        ("lib", 0o500),
        ("lib/data", 0o400),
        ("plugin-meta.json", 0o400),
    ];
    let expected = expected.map(|(path, mode)| (path.to_owned(), mode));
    assert_eq!(modes(&resolved.workspace.tree()), expected);
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (one, two) = (Source::new(), Source::new());
    // Written in another order, at another time, with other permissions.
    fs::remove_file(two.path("plugin-meta.json")).unwrap();
    two.write("plugin-meta.json", METADATA);
    fs::set_permissions(two.path("lib/data"), fs::Permissions::from_mode(0o600)).unwrap();
    let past = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::open(two.path("acme")).unwrap().set_modified(past).unwrap();
    assert_eq!(one.pack().unwrap().digest, two.pack().unwrap().digest);
}

#[test]
fn every_level_of_compression_can_be_unpacked() {
    let source = Source::new();
    source.write("lib/data", &"text ".repeat(1000));
    let sizes: Vec<_> = (0..=10)
        .map(|level| source.pack_with(|options| options.level = level).unwrap().size)
        .collect();
    assert!(sizes[0] > 5000 && sizes[9] < 2000, "{sizes:?}");
    assert_eq!(sizes[9], sizes[10]);
}

#[test]
fn what_no_host_would_unpack_is_refused_with_its_path() {
    let expect = |name: &str, make: fn(&Path), expected: Refusal| {
        let source = Source::new();
        make(&source.path(name));
        let error = source.refused(name);
        let PackError::Unpackable { path, refusal } = &error else { panic!("{name}: {error}") };
        assert_eq!(path, &source.path(name));
        assert_eq!(refusal, &expected);
    };
    let kind = |name: &str, problem| Refusal::Kind { name: name.into(), problem };
    expect(
        "link",
        |path| symlink("acme", path).unwrap(),
        kind("link", EntryKindProblem::SymbolicLink),
    );
    expect(
        "lib/socket",
        |path| drop(UnixListener::bind(path).unwrap()),
        kind("lib/socket", EntryKindProblem::Socket),
    );
    expect(
        "lib/a:b",
        |path| fs::write(path, "").unwrap(),
        Refusal::Name { name: "lib/a:b".into(), problem: NameProblem::Character(':') },
    );
    expect(
        "trailing.",
        |path| fs::create_dir(path).unwrap(),
        Refusal::Name { name: "trailing.".into(), problem: NameProblem::TrailingDotOrSpace },
    );
}

#[test]
fn names_that_differ_in_case_only_are_refused() {
    let source = Source::new();
    source.write("Acme", "x");
    let error = source.refused("case");
    assert!(matches!(error, PackError::Refused(DiscoveryError::Archive(_))), "{error}");
}

#[test]
fn metadata_and_entry_point_are_checked_before_anything_is_written() {
    let metadata =
        |text: &'static str| move |source: &Source| source.write("plugin-meta.json", text);
    let rows: [(&str, Spoil, &str); 7] = [
        (
            "missing",
            Box::new(|source| fs::remove_file(source.path("plugin-meta.json")).unwrap()),
            "has no plugin-meta.json",
        ),
        (
            "no version",
            Box::new(metadata(r#"{"name":"acme","entrypoint":"acme"}"#)),
            "has no `version`",
        ),
        ("no name", Box::new(metadata(r#"{"version":"1","entrypoint":"acme"}"#)), "has no `name`"),
        (
            "climbing name",
            Box::new(metadata(r#"{"name":"../x","version":"1","entrypoint":"acme"}"#)),
            "`name` of no use",
        ),
        (
            "other entry point",
            Box::new(metadata(r#"{"name":"acme","version":"1","entrypoint":"other"}"#)),
            "entry point `other` is not in",
        ),
        (
            "not executable",
            Box::new(|source| {
                let mode = fs::Permissions::from_mode(0o644);
                fs::set_permissions(source.path("acme"), mode).unwrap();
            }),
            "is not executable",
        ),
        ("no program", Box::new(|source| source.write("acme", "hello")), "neither an ELF program"),
    ];
    for (what, spoil, expected) in rows {
        let source = Source::new();
        spoil(&source);
        let error = source.refused(what).to_string();
        assert!(error.contains(expected), "{what}: {error}");
    }
}

#[test]
fn limits_hold_for_packing_too() {
    let source = Source::new();
    for error in [
        source.pack_with(|options| options.limits.entries = 2).unwrap_err(),
        source.pack_with(|options| options.limits.depth = 1).unwrap_err(),
        source.pack_with(|options| options.limits.file_bytes = 3).unwrap_err(),
        source.pack_with(|options| options.limits.metadata_bytes = 3).unwrap_err(),
        source.pack_with(|options| options.limits.archive_bytes = 3).unwrap_err(),
    ] {
        let refused = matches!(error, PackError::Unpackable { .. } | PackError::Refused(_));
        assert!(refused, "{error}");
    }
    assert_eq!(fs::read_dir(source.output()).unwrap().count(), 0);
}

#[test]
fn an_existing_distribution_is_kept_where_asked() {
    let source = Source::new();
    let first = source.pack().unwrap();
    source.write("lib/data", "other");
    let error = source.pack_with(|options| options.if_exists = IfExists::Refuse).unwrap_err();
    assert!(matches!(error, PackError::Write { .. }), "{error}");
    let second = source.pack().unwrap();
    assert_ne!(first.digest, second.digest);
    assert_eq!(fs::read_dir(source.output()).unwrap().count(), 1);
}

#[test]
fn an_output_within_the_directory_is_refused() {
    let source = Source::new();
    let error = pack(&source.directory(), &source.path("lib"), &PackOptions::default());
    assert!(matches!(error, Err(PackError::OutputInside { .. })));
}
