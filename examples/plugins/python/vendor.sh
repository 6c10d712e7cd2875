#!/bin/sh
# Installs Python packages into a folder that is packed with a plugin:
# vendor.sh REQUIREMENTS DEST
#
# Wheels are kept in $OUTRIGGER_WHEELS (default: a folder in the user's cache);
# once they are there no network is needed. REQUIREMENTS has their hashes.
set -eu

fail() { echo "$0: $1" >&2; exit 1; }

[ $# -eq 2 ] || { echo "usage: $0 REQUIREMENTS DEST" >&2; exit 2; }
requirements=$1
dest=$2
command -v python3 >/dev/null || fail "python3 is missing; install Python 3.11 or newer"
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "python3 does not run"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "python3 is $version; 3.11 is the least that works"
python3 -c 'import pip' 2>/dev/null || fail "python3 has no pip; install it (Debian: python3-pip)"
wheels=${OUTRIGGER_WHEELS:-${XDG_CACHE_HOME:-$HOME/.cache}/outrigger/wheels}/cp$version

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
set -- --quiet --require-hashes --only-binary=:all: --requirement "$requirements"
install() {
    rm -rf "$dest"
    python3 -m pip install --no-index --find-links "$wheels" --no-compile --target "$dest" "$@"
}
mkdir -p "$wheels"
if ! install "$@" 2>/dev/null; then
    python3 -m pip download --dest "$wheels" "$@" || fail "the wheels could not be downloaded"
    install "$@" || fail "the wheels in $wheels could not be installed"
fi

# A plugin needs no scripts, caches, tests, type hints, or what only builds C modules.
cd "$dest"
rm -rf bin cffi pycparser
find . -type d \( -name __pycache__ -o -name tests -o -name testing \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pxi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' \) -delete
# Compiled here, once: a read-only tree has no caches, and to compile the packages
# at each start takes longer than all the rest of it. Hashed, not dated, so that
# the same wheels give the same bytes.
python3 -m compileall -q -b --invalidation-mode unchecked-hash -s "$dest" "$dest" || fail "a package does not compile"
find . -type f -name '*.py' -delete
echo "$version" >python-version
