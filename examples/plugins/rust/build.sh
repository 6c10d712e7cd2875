#!/bin/sh
# Builds the tree that `outrigger pack` takes: build.sh DEST
set -eu

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
command -v cargo >/dev/null || { echo "$0: cargo is missing; install Rust 1.95 or newer" >&2; exit 1; }

mkdir -p "$1"
dest=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# Named here, because a setting of the user's may put it anywhere.
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --locked --target-dir "$target"
install -m 0755 "$target/release/hello-rust" "$dest/hello-rust"
install -m 0644 plugin-meta.json "$dest/plugin-meta.json"
