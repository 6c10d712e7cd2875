//! The document of the API: the committed copy is what the code says, and the book's
//! tables name the same methods and parameters.
//! `UPDATE_GENERATED=1 cargo test -p outrigger-admin --test openrpc` writes the copy
//! instead.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// The methods, and the names of their parameters in their order.
fn methods(document: &Value) -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = document["methods"].as_array().unwrap().iter().map(|method| {
        let params = method["params"].as_array().unwrap().iter();
        (text(&method["name"]), params.map(|param| text(&param["name"])).collect())
    });
    all.collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let document = outrigger_admin::openrpc().unwrap();
    let file = docs("openrpc.json");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let text = serde_json::to_string_pretty(&document).unwrap();
        return fs::write(file, text + "\n").unwrap();
    }
    let committed = fs::read_to_string(file).unwrap_or_default();
    assert!(
        serde_json::from_str::<Value>(&committed).ok().as_ref() == Some(&document),
        "docs/openrpc.json is stale; run UPDATE_GENERATED=1 cargo test -p outrigger-admin \
         --test openrpc"
    );
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Array(all) => all.iter().for_each(|it| references(it, found)),
            Value::Object(all) => {
                found.extend(all.get("$ref").and_then(Value::as_str));
                all.values().for_each(|it| references(it, found));
            }
            _ => {}
        }
    }
    let document = outrigger_admin::openrpc().unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 5, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_book_names_every_method_with_its_parameters() {
    let book = fs::read_to_string(docs("admin.md")).unwrap();
    let mut described = BTreeMap::new();
    for row in book.lines().filter(|line| line.starts_with("| `")) {
        let [_, names, params, _, _] = row.split('|').collect::<Vec<_>>()[..] else { continue };
        for name in quoted(names) {
            if name.starts_with("outrigger_") || name == "rpc.discover" {
                described.insert(name, quoted(params));
            }
        }
    }
    assert_eq!(described, methods(&outrigger_admin::openrpc().unwrap()));
}
