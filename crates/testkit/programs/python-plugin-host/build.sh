#!/bin/sh
# Builds the program to TARGET, with what it needs in TARGET.d: build.sh TARGET
set -eu

[ $# -eq 1 ] || { echo "usage: $0 TARGET" >&2; exit 2; }

tree=$1.d
mkdir -p "$tree"
tree=$(cd "$tree" && pwd)
cd "$(dirname "$0")"
hello=../../../../examples/plugins/python

rm -rf "$tree"
mkdir -p "$tree/gen"
"$hello/vendor.sh" "$PWD/requirements.txt" "$tree/vendor"
for messages in init helloworld; do
    install -m 0644 "$hello/gen/${messages}_pb2.py" "$tree/gen"
done
install -m 0644 "$hello/gen/__init__.py" ../python/gen/probe_pb2.py gen/*.py "$tree/gen"
install -m 0644 python_plugin_host.py "$tree"
sed 's/^MODULE = .*/MODULE = "python_plugin_host"/' ../python/run.py >"${tree%.d}"
chmod 0755 "${tree%.d}"
