#!/bin/sh
# Builds the tree that `outrigger pack` takes: build.sh DEST
set -eu

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
command -v go >/dev/null || { echo "$0: go is missing; install Go 1.26 or newer" >&2; exit 1; }

mkdir -p "$1"
dest=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# Static, so that the one file runs on any Linux, whatever its C library. The
# same source gives the same bytes: no paths, no commit, no symbols.
CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$dest/hello-go" .
install -m 0644 plugin-meta.json "$dest/plugin-meta.json"
