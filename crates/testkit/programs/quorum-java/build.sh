#!/bin/sh
# Builds the flat tree of the plugins' distributions, and for each plugin its
# metadata in a directory named after its package: build.sh DEST
#
# Maven keeps what it fetches in its cache; once that is there no network is
# needed. tools.sha256 has the hashes of what makes the stubs, lib.sha256 those
# of what goes into the tree.
set -eu

fail() { echo "$0: $1" >&2; exit 1; }

[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
command -v javac >/dev/null || fail "javac is missing; install a JDK, 17 or newer (Debian: openjdk-17-jdk-headless)"
command -v mvn >/dev/null || fail "mvn is missing; install it (Debian: maven)"

version=1.0.0
mkdir -p "$1"
dest=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
proto=$here/../../../../proto/proto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A short run: the fast compiler alone serves it best.
export MAVEN_OPTS="${MAVEN_OPTS--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
maven() {
    set -- --batch-mode --quiet --strict-checksums --file "$here/pom.xml" -DbuildDirectory="$work" "$@"
    mvn --offline "$@" >/dev/null 2>&1 || mvn "$@" >&2 || fail "Maven could not build it"
}

maven dependency:copy -Dartifact=com.google.protobuf:protoc:4.35.1:exe:linux-x86_64 -DoutputDirectory="$work/tools"
maven dependency:copy -Dartifact=io.grpc:protoc-gen-grpc-java:1.83.1:exe:linux-x86_64 -DoutputDirectory="$work/tools"
maven dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/lib"
(cd "$work/tools" && sha256sum --check --strict --quiet "$here/tools.sha256" >&2) || fail "a tool is not the one that was pinned"
cd "$work/lib"
sha256sum --check --strict --quiet "$here/lib.sha256" >&2 || fail "an archive is not the one that was pinned"
[ "$(ls | wc -l)" -eq "$(wc -l <"$here/lib.sha256")" ] || fail "an archive has come in that is not pinned"

# protobuf's own files are in its archive.
mkdir "$work/include" "$work/gen"
(cd "$work/include" && jar --extract --file "$work"/lib/protobuf-javalite-*.jar)
chmod 0755 "$work"/tools/*
"$work"/tools/protoc-4*.exe --plugin=protoc-gen-grpc-java="$(ls "$work"/tools/protoc-gen-*.exe)" \
    -I"$proto" -I"$work/include" --java_out=lite:"$work/gen" --grpc-java_out=lite:"$work/gen" \
    quorum/init.proto quorum/helloworld.proto quorum/account.proto quorum/security.proto \
    quorum/qlight_token_manager.proto grpc/health/v1/health.proto
maven build-helper:add-source compiler:compile jar:jar

# Annotations are for compilers.
rm -f animal-sniffer-annotations-* annotations-* error_prone_annotations-* j2objc-annotations-* \
    jspecify-* jsr305-* listenablefuture-*
# Of Bouncy Castle what knows curves, hashes and certificates: with its provider
# around, Netty would load all of that at each start.
mkdir "$work/bc"
cd "$work/bc"
jar --extract --file "$work"/lib/bcprov-*.jar
rm "$work"/lib/bcprov-*.jar
find org/bouncycastle -mindepth 1 -maxdepth 1 ! -name asn1 ! -name util ! -name internal \
    ! -name crypto ! -name math -exec rm -rf {} +
find org META-INF/LICENSE* -type f | LC_ALL=C sort >"$work/names"
jar --create --no-manifest --date=1980-01-01T00:00:02Z --file "$work/lib/bouncycastle-cut.jar" "@$work/names"

rm -rf "$dest/tree"
mkdir "$dest/tree"
install -m 0644 "$work"/lib/*.jar "$work/quorum-java.jar" "$dest/tree"
install -m 0755 "$here/run.sh" "$dest/tree"

# metadata PACKAGE PLUGIN
metadata() {
    mkdir -p "$dest/$1"
    printf '{\n  "name": "%s",\n  "version": "%s",\n  "entrypoint": "run.sh",\n  "parameters": ["%s"]\n}\n' \
        "$1" "$version" "$2" >"$dest/$1/plugin-meta.json"
}

metadata quorum-plugin-hello-world-java helloworld
metadata quorum-account-plugin-java account
metadata quorum-security-plugin-java security
metadata quorum-plugin-qlight-token-manager-java qlighttokenmanager
