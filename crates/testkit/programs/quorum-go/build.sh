#!/bin/sh
# Builds the plugins, each with its metadata in a directory named after its
# package: build.sh DEST
set -eu

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }

version=1.0.0
mkdir -p "$1"
dest=$(cd "$1" && pwd)
cd "$(dirname "$0")"
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
branch=$(git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)

# build FOLDER PACKAGE ENTRYPOINT [MORE]: metadata has the keys, in the order,
# that the makefiles of GoQuorum's plugins give it.
build() {
    mkdir -p "$dest/$2"
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -mod=readonly -ldflags='-s -w' \
        -o "$dest/$2/$3" "./$1"
    {
        echo '{'
        if [ $# -gt 3 ]; then
            printf '    "arch": "%s",\n' "$(go env GOARCH)"
        fi
        printf '    "entrypoint": "%s",\n' "$3"
        if [ $# -gt 3 ]; then
            printf '    "gitBranch": "%s",\n    "gitCommit": "%s",\n' "$branch" "$commit"
            printf '    "gitRepo": "https://example.com/outrigger",\n'
        fi
        printf '    "name": "%s",\n' "$2"
        if [ $# -gt 3 ]; then
            printf '    "os": "%s",\n' "$(go env GOOS)"
        fi
        printf '    "version": "%s"\n}' "$version"
    } >"$dest/$2/plugin-meta.json"
}

build helloworld quorum-plugin-hello-world helloworld
build account quorum-account-plugin-keys quorum-account-plugin-keys git
build security quorum-security-plugin-enterprise quorum-security-plugin-enterprise git
build qlight quorum-plugin-qlight-token-manager qlight-token-manager git
