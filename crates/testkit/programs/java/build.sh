#!/bin/sh
# Builds the program to TARGET, with what it needs in TARGET.d: build.sh TARGET
set -eu

[ $# -eq 1 ] || { echo "usage: $0 TARGET" >&2; exit 2; }

rm -rf "$1.d"
mkdir -p "$1.d"
tree=$(cd "$1.d" && pwd)
cd "$(dirname "$0")"
example=../../../../examples/plugins/java

# The hello world, archives and all, is what this program stands on.
"$example/build.sh" "$tree"
mkdir "$tree/classes"
find src gen -name '*.java' >"$tree/sources"
javac -J-XX:TieredStopAtLevel=1 --release 17 -encoding UTF-8 -d "$tree/classes" -cp "$tree/lib/*" "@$tree/sources"
sed -e 's|"$here/lib/\*" Hello|"$here/classes:$here/lib/*" Interop|' \
    -e 's|^here=.*|here=$(readlink -f "$0").d|' "$example/hello-java" >"${tree%.d}"
chmod 0755 "${tree%.d}"
rm "$tree/sources" "$tree/hello-java" "$tree/plugin-meta.json"
