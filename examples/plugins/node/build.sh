#!/bin/sh
# Builds the tree that `outrigger pack` takes: build.sh DEST
#
# npm keeps the packages in its cache; once they are there no network is needed.
# package-lock.json has their hashes.
set -eu

fail() { echo "$0: $1" >&2; exit 1; }

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
command -v node >/dev/null || fail "node is missing; install Node 20 or newer"
command -v npm >/dev/null || fail "npm is missing; install it (Debian: npm)"
node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || fail "node is $(node --version); 20 is the least that works"

mkdir -p "$1"
dest=$(cd "$1" && pwd)
cd "$(dirname "$0")"
install -m 0644 package.json package-lock.json plugin-meta.json hello.mjs outrigger_plugin.mjs "$dest"
install -m 0755 hello-node "$dest"
mkdir -p "$dest/proto"
install -m 0644 proto/*.proto "$dest/proto"

cd "$dest"
# No links, as a distribution has none, and no scripts of other people's.
set -- --omit=dev --no-bin-links --ignore-scripts --no-audit --no-fund --loglevel=error
npm ci --offline "$@" >/dev/null 2>&1 || npm ci "$@" >/dev/null || fail "the packages could not be installed"
rm package-lock.json node_modules/.package-lock.json

# A plugin needs no types, sources of TypeScript, source maps or documentation,
# nor what serves commands and browsers alone. Licences stay.
cd node_modules
for package in yargs yargs-parser y18n cliui escalade get-caller-file require-directory string-width \
    strip-ansi wrap-ansi ansi-regex ansi-styles color-convert color-name emoji-regex \
    is-fullwidth-code-point @types undici-types protobufjs/dist protobufjs/bin protobufjs/scripts; do
    rm -rf "$package"
done
find . -type d \( -name test -o -name tests -o -name docs -o -name es2015 -o -name esm \) -prune -exec rm -rf {} +
find . -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete
find . -type f \( -iname 'readme*' -o -iname 'changelog*' -o -name '.*' -o -name 'tsconfig*.json' \) -delete
find . -type d -empty -delete

# A distribution holds plain files only, under names that every unpacker takes.
odd=$(cd "$dest" && find . ! -type d ! -type f -o -name '*[!A-Za-z0-9._@+~\ -]*')
[ -z "$odd" ] || fail "these do not belong in a distribution: $odd"
