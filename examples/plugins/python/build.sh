#!/bin/sh
# Builds the tree that `outrigger pack` takes: build.sh DEST
set -eu

fail() { echo "$0: $1" >&2; exit 1; }

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }

mkdir -p "$1"
dest=$(cd "$1" && pwd)
cd "$(dirname "$0")"

./vendor.sh requirements.txt "$dest/vendor"
rm -rf "$dest/gen"
mkdir "$dest/gen"
install -m 0644 gen/*.py "$dest/gen"
install -m 0644 hello.py outrigger_plugin.py plugin-meta.json "$dest"
install -m 0755 hello-python "$dest"

# A distribution holds plain files only, under names that every unpacker takes.
odd=$(cd "$dest" && find . ! -type d ! -type f -o -name '*[!A-Za-z0-9._@+~\ -]*')
[ -z "$odd" ] || fail "these do not belong in a distribution: $odd"
