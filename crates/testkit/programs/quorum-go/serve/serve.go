// Package serve is what the plugins here share: GoQuorum's cookie, its protocol
// version, and one object that has all of a plugin's services.
package serve

import (
	"context"
	"errors"
	"log"
	"os"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// handshake must equal what the host sets; these are GoQuorum's values.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "QUORUM_PLUGIN_MAGIC_COOKIE",
	MagicCookieValue: "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E0941152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664",
}

// Register puts a plugin's services on its server.
type Register func(server *grpc.Server)

// Plugin serves until its host says stop.
func Plugin(register Register) {
	// Hosts put a time on each line themselves.
	log.SetFlags(0)
	log.SetOutput(os.Stderr)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         map[string]plugin.Plugin{"impl": &object{register: register}},
		GRPCServer:      plugin.DefaultGRPCServer,
	})
}

// object is go-plugin's view of a plugin: a half for each side, of which a
// program that is only a plugin has one.
type object struct {
	plugin.NetRPCUnsupportedPlugin
	register Register
}

func (o *object) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	o.register(server)
	return nil
}

func (*object) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (interface{}, error) {
	return nil, errors.New("not supported")
}
