#!/bin/sh
# Builds the program to TARGET, with what it needs in TARGET.d: build.sh TARGET
set -eu

fail() { echo "$0: $1" >&2; exit 1; }

[ $# -eq 1 ] || { echo "usage: $0 TARGET" >&2; exit 2; }

rm -rf "$1.d"
mkdir -p "$1.d"
tree=$(cd "$1.d" && pwd)
cd "$(dirname "$0")"
install -m 0644 package.json package-lock.json ./*.mjs "$tree"
cat >"${tree%.d}" <<'END'
#!/bin/sh
exec node "$(readlink -f "$0").d/main.mjs" "$@"
END
chmod 0755 "${tree%.d}"

cd "$tree"
set -- --omit=dev --no-bin-links --ignore-scripts --no-audit --no-fund --loglevel=error
npm ci --offline "$@" >/dev/null 2>&1 || npm ci "$@" >/dev/null || fail "the packages could not be installed"
