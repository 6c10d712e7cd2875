#!/bin/sh
# Builds the program to TARGET, with what it needs in TARGET.d: build.sh TARGET
set -eu

[ $# -eq 1 ] || { echo "usage: $0 TARGET" >&2; exit 2; }

tree=$1.d
mkdir -p "$tree"
tree=$(cd "$tree" && pwd)
cd "$(dirname "$0")"

rm -rf "$tree"
../../../../examples/plugins/python/build.sh "$tree"
install -m 0644 gen/*.py "$tree/gen"
install -m 0644 interop_python.py outrigger_broker.py "$tree"
sed 's/^MODULE = .*/MODULE = "interop_python"/' run.py >"${tree%.d}"
chmod 0755 "${tree%.d}"
