// All that a Go program needs to be a plugin, on go-plugin: copy this file as it
// is, write types for your gRPC services, call Serve.
//
// The library covers the line, mutual TLS (it makes a certificate as soon as the
// host sends its own), health, output, the broker and shutdown. What it leaves
// to every author stands here.

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// largestMessage is what the plugin takes; grpc-go's own limit is 4 MiB.
const largestMessage = 64 << 20

// quorumCookie must equal what the host sets; these are GoQuorum's values. The
// version is not given here but by the keys of Serve's map.
var quorumCookie = plugin.HandshakeConfig{
	MagicCookieKey:   "QUORUM_PLUGIN_MAGIC_COOKIE",
	MagicCookieValue: "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E0941152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664",
}

// Broker makes connections beside the main one; most plugins have no use for it.
type Broker = plugin.GRPCBroker

// Register puts the services of one protocol version on the server.
type Register func(server *grpc.Server, broker *Broker)

// parent is taken before anything slow, so that a host that dies early is missed.
var parent = os.Getppid()

// Serve serves until the host says stop or is gone; it maps each application
// protocol version that the plugin speaks to its services.
func Serve(cookie plugin.HandshakeConfig, versions map[int]Register) {
	// With nobody left to read the log, writing it is an error, not the end.
	signal.Ignore(syscall.SIGPIPE)
	go followParent()
	sets := map[int]plugin.PluginSet{}
	for version, register := range versions {
		sets[version] = plugin.PluginSet{"plugin": services{register: register}}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  cookie,
		VersionedPlugins: sets,
		Logger: hclog.New(&hclog.LoggerOptions{
			Level: hclog.Info, Output: os.Stderr, JSONFormat: true,
		}),
		// Without it a plugin speaks net/rpc.
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(largestMessage))...)
		},
	})
}

// followParent ends the plugin with its host, which go-plugin does not.
func followParent() {
	for os.Getppid() == parent {
		time.Sleep(200 * time.Millisecond)
	}
	os.Exit(1)
}

// services is what go-plugin registers; a program has a plugin's half and a
// host's half of it.
type services struct {
	plugin.NetRPCUnsupportedPlugin
	register Register
}

func (s services) GRPCServer(broker *Broker, server *grpc.Server) error {
	s.register(server, broker)
	return nil
}

func (services) GRPCClient(context.Context, *Broker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this program is a plugin, not a host")
}
