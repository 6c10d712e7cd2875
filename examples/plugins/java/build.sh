#!/bin/sh
# Builds the tree that `outrigger pack` takes: build.sh DEST
#
# Maven keeps archives and its own plugins in its cache; once they are there no
# network is needed. lib.sha256 has the hashes of what goes into the tree.
set -eu

fail() { echo "$0: $1" >&2; exit 1; }

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
command -v javac >/dev/null || fail "javac is missing; install a JDK, 17 or newer (Debian: openjdk-17-jdk-headless)"
command -v mvn >/dev/null || fail "mvn is missing; install it (Debian: maven)"

mkdir -p "$1"
dest=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A short run: the fast compiler alone serves it best.
export MAVEN_OPTS="${MAVEN_OPTS--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
set -- --batch-mode --quiet --strict-checksums --file "$here/pom.xml" -DbuildDirectory="$work" \
    -DincludeScope=runtime -DoutputDirectory="$work/lib" \
    build-helper:add-source compiler:compile jar:jar dependency:copy-dependencies
mvn --offline "$@" >/dev/null 2>&1 || mvn "$@" >&2 || fail "Maven could not build it"
cd "$work/lib"
sha256sum --check --strict --quiet "$here/lib.sha256" >&2 || fail "an archive is not the one that was pinned"
[ "$(ls | wc -l)" -eq "$(wc -l <"$here/lib.sha256")" ] || fail "an archive has come in that is not pinned"

# Annotations are for compilers.
rm -f animal-sniffer-annotations-* annotations-* error_prone_annotations-* j2objc-annotations-* \
    jspecify-* jsr305-* listenablefuture-*
# Of Bouncy Castle only what writes certificates is needed: a tenth of it. With
# the rest around, Netty loads all of that at each start, which takes as long as
# everything else together.
mkdir "$work/bc"
cd "$work/bc"
jar --extract --file "$work"/lib/bcprov-*.jar
rm "$work"/lib/bcprov-*.jar
find org/bouncycastle -mindepth 1 -maxdepth 1 ! -name asn1 ! -name util ! -name internal -exec rm -rf {} +
find org META-INF/LICENSE* -type f | LC_ALL=C sort >"$work/names"
jar --create --no-manifest --date=1980-01-01T00:00:02Z --file "$work/lib/bouncycastle-asn1.jar" "@$work/names"

rm -rf "$dest/lib"
mkdir "$dest/lib"
install -m 0644 "$work"/lib/*.jar "$work/hello-java.jar" "$dest/lib"
install -m 0644 "$here/plugin-meta.json" "$dest"
install -m 0755 "$here/hello-java" "$dest"
