// Command helloworld greets in English or Spanish, as GoQuorum's own hello world does.
package main

import (
	"context"
	"encoding/json"

	"github.com/jpmorganchase/quorum-hello-world-plugin-sdk-go/proto"
	"github.com/jpmorganchase/quorum-hello-world-plugin-sdk-go/proto_common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/outrigger/quorum/serve"
)

var words = map[string]string{"en": "Hello", "es": "Hola"}

// hello has no word until Init: a call before it would greet nobody.
type hello struct{ word string }

func (h *hello) Init(_ context.Context, request *proto_common.PluginInitialization_Request) (*proto_common.PluginInitialization_Response, error) {
	var config struct{ Language string }
	if err := json.Unmarshal(request.GetRawConfiguration(), &config); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "invalid config: %v", err)
	}
	word, known := words[config.Language]
	if !known {
		return nil, status.Errorf(codes.InvalidArgument, "unsupported language: [%s]", config.Language)
	}
	h.word = word
	return &proto_common.PluginInitialization_Response{}, nil
}

func (h *hello) Greeting(_ context.Context, request *proto.PluginHelloWorld_Request) (*proto.PluginHelloWorld_Response, error) {
	if h.word == "" {
		return nil, status.Error(codes.Unavailable, "not configured")
	}
	return &proto.PluginHelloWorld_Response{Msg: h.word + " " + request.GetMsg() + "!"}, nil
}

func main() {
	h := &hello{}
	serve.Plugin(func(server *grpc.Server) {
		proto_common.RegisterPluginInitializerServer(server, h)
		proto.RegisterPluginGreetingServer(server, h)
	})
}
