// Command interop is a plugin and a host on HashiCorp's go-plugin and nothing
// of Outrigger's: the other side in the tests of the interop matrix. One source
// is built at several releases of go-plugin, each with a module file of its own.
//
//	interop plugin [FLAGS]
//	interop host [FLAGS] PLUGIN [ARGS...]
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/go-plugin"
)

// goPlugin is the release of go-plugin that this was built with; the linker
// sets it.
var goPlugin = "unknown"

// The cookie is GoQuorum's, so that every program of the matrix takes the other.
const (
	cookieKey   = "QUORUM_PLUGIN_MAGIC_COOKIE"
	cookieValue = "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E0941152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "plugin":
			servePlugin(os.Args[2:])
			return
		case "host":
			if err := runHost(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, "interop host:", err)
				os.Exit(1)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: interop plugin | host [FLAGS] PLUGIN [ARGS...]")
	os.Exit(2)
}

// handshake without a version: both sides keep their sets by version.
func handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue}
}
