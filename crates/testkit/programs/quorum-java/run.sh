#!/bin/sh
# Entry point of the distribution. What comes after it says which plugin this is.
# The shell gives its place to the JVM, so that a host that kills the one it
# started kills all.
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -XX:-UsePerfData -cp "$(dirname "$0")/*" Main "$@"
