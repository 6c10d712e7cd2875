// Command hello-go is the hello-world plugin in Go: it is initialised with a
// language and then greets in it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/outrigger/hello/gen"
)

// handshake must equal what the host offers; these are GoQuorum's values.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "QUORUM_PLUGIN_MAGIC_COOKIE",
	MagicCookieValue: "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E0941152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664",
}

var greetings = map[string]string{"en": "Hello {msg}!", "es": "Hola {msg}!", "de": "Hallo {msg}!"}

// hello serves both interfaces; the greeting is nil until Init has set it.
type hello struct {
	gen.UnimplementedPluginInitializerServer
	gen.UnimplementedPluginGreetingServer
	greeting atomic.Pointer[string]
}

// Init takes {"language": "en"}; without a config the language is English.
func (h *hello) Init(_ context.Context, req *gen.PluginInitialization_Request) (*gen.PluginInitialization_Response, error) {
	config := struct{ Language string }{Language: "en"}
	if raw := req.GetRawConfiguration(); len(raw) > 0 {
		if err := json.Unmarshal(raw, &config); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "the config is not the JSON that was expected: %v", err)
		}
	}
	greeting, known := greetings[config.Language]
	if !known {
		return nil, status.Errorf(codes.InvalidArgument, "language %q is not known; choose en, es or de", config.Language)
	}
	h.greeting.Store(&greeting)
	// What a plugin prints once it serves reaches the host through go-plugin's stdio stream.
	fmt.Printf("greeting in %s for %s\n", config.Language, req.GetHostIdentity())
	return &gen.PluginInitialization_Response{}, nil
}

// Greeting answers in the language that Init chose.
func (h *hello) Greeting(_ context.Context, req *gen.PluginHelloWorld_Request) (*gen.PluginHelloWorld_Response, error) {
	greeting := h.greeting.Load()
	if greeting == nil {
		return nil, status.Error(codes.FailedPrecondition, "Init comes before Greeting")
	}
	return &gen.PluginHelloWorld_Response{Msg: strings.Replace(*greeting, "{msg}", req.GetMsg(), 1)}, nil
}

// services tells go-plugin what to register; it has a host's half and a plugin's half.
type services struct {
	plugin.NetRPCUnsupportedPlugin
}

func (services) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	h := &hello{}
	gen.RegisterPluginInitializerServer(server, h)
	gen.RegisterPluginGreetingServer(server, h)
	return nil
}

func (services) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this program is a plugin, not a host")
}

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{"helloworld": services{}},
		GRPCServer:      plugin.DefaultGRPCServer,
	})
}
