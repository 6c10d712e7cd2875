// Command hello-go is the hello-world plugin: initialised with a language, it greets in it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/outrigger/hello/gen"
)

var greetings = map[string]string{"en": "Hello %s!", "es": "Hola %s!", "de": "Hallo %s!"}

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
	return &gen.PluginHelloWorld_Response{Msg: fmt.Sprintf(*greeting, req.GetMsg())}, nil
}

func main() {
	Serve(quorumCookie, map[int]Register{1: func(server *grpc.Server, _ *Broker) {
		h := &hello{}
		gen.RegisterPluginInitializerServer(server, h)
		gen.RegisterPluginGreetingServer(server, h)
	}})
}
