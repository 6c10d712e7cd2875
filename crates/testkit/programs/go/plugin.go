package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"example.com/outrigger/interop/gen"
)

// largest is what the plugin takes in one message; grpc-go's own limit is 4 MiB.
const largest = 64 << 20

var greetings = map[string]string{"en": "Hello {msg}!", "es": "Hola {msg}!", "de": "Hallo {msg}!"}

func servePlugin(arguments []string) {
	flags := flag.NewFlagSet("interop plugin", flag.ExitOnError)
	versions := versionList{1}
	flags.Var(&versions, "versions", "the protocol `VERSIONS` it serves, as in 1,2")
	_ = flags.Parse(arguments)

	// Made before serving, so that it keeps the standard error that the host reads.
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "interop", Level: hclog.Trace, Output: os.Stderr, JSONFormat: true,
	})
	sets := map[int]plugin.PluginSet{}
	for _, version := range versions {
		sets[version] = plugin.PluginSet{pluginName: &services{version: version, logger: logger}}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  handshake(),
		VersionedPlugins: sets,
		Logger:           logger,
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(largest))...)
		},
	})
}

// services is the plugin's half of what go-plugin registers.
type services struct {
	plugin.NetRPCUnsupportedPlugin
	version int
	logger  hclog.Logger
}

func (s *services) GRPCServer(broker *plugin.GRPCBroker, server *grpc.Server) error {
	greeter := &greeter{}
	gen.RegisterPluginInitializerServer(server, greeter)
	gen.RegisterPluginGreetingServer(server, greeter)
	gen.RegisterProbeServer(server, &probe{services: s, broker: broker})
	return nil
}

func (*services) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this program is a plugin, not a host")
}

// greeter serves GoQuorum's hello world; the greeting is nil until Init has set it.
type greeter struct {
	gen.UnimplementedPluginInitializerServer
	gen.UnimplementedPluginGreetingServer
	greeting atomic.Pointer[string]
}

func (g *greeter) Init(_ context.Context, req *gen.PluginInitialization_Request) (*gen.PluginInitialization_Response, error) {
	config := struct{ Language string }{Language: "en"}
	if raw := req.GetRawConfiguration(); len(raw) > 0 {
		if err := json.Unmarshal(raw, &config); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "config: %v", err)
		}
	}
	greeting, known := greetings[config.Language]
	if !known {
		return nil, status.Errorf(codes.InvalidArgument, "language %q is not known; choose en, es or de", config.Language)
	}
	g.greeting.Store(&greeting)
	return &gen.PluginInitialization_Response{}, nil
}

func (g *greeter) Greeting(_ context.Context, req *gen.PluginHelloWorld_Request) (*gen.PluginHelloWorld_Response, error) {
	greeting := g.greeting.Load()
	if greeting == nil {
		return nil, status.Error(codes.FailedPrecondition, "Init comes before Greeting")
	}
	return &gen.PluginHelloWorld_Response{Msg: strings.Replace(*greeting, "{msg}", req.GetMsg(), 1)}, nil
}

// probe serves what shows the broker, the streams and message sizes from outside.
type probe struct {
	gen.UnimplementedProbeServer
	*services
	broker *plugin.GRPCBroker
}

func (*probe) Echo(_ context.Context, payload *gen.Payload) (*gen.Payload, error) {
	return payload, nil
}

func (*probe) EchoStream(stream gen.Probe_EchoStreamServer) error {
	for {
		payload, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(payload); err != nil {
			return err
		}
	}
}

func (*probe) Print(_ context.Context, req *gen.PrintRequest) (*gen.PrintResponse, error) {
	if _, err := os.Stdout.Write(req.GetStdout()); err != nil {
		return nil, status.Errorf(codes.Internal, "standard output: %v", err)
	}
	if _, err := os.Stderr.Write(req.GetStderr()); err != nil {
		return nil, status.Errorf(codes.Internal, "standard error: %v", err)
	}
	return &gen.PrintResponse{}, nil
}

func (p *probe) Log(_ context.Context, req *gen.LogRequest) (*gen.LogResponse, error) {
	level := hclog.LevelFromString(req.GetLevel())
	if level == hclog.NoLevel {
		return nil, status.Errorf(codes.InvalidArgument, "level %q is not known", req.GetLevel())
	}
	var fields []any
	for key, value := range req.GetFields() {
		fields = append(fields, key, value)
	}
	p.logger.Log(level, req.GetMessage(), fields...)
	return &gen.LogResponse{}, nil
}

func (p *probe) CallHost(ctx context.Context, req *gen.CallHostRequest) (*gen.Payload, error) {
	conn, err := p.broker.Dial(req.GetBrokerId())
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "dial %d: %v", req.GetBrokerId(), err)
	}
	defer conn.Close()
	return gen.NewAnswerClient(conn).Ask(ctx, &gen.Payload{Data: req.GetData()})
}

func (p *probe) Offer(_ context.Context, req *gen.OfferRequest) (*gen.OfferResponse, error) {
	id := p.broker.NextId()
	if !req.GetSilent() {
		serveAnswer(p.broker, id, "plugin:")
	}
	return &gen.OfferResponse{BrokerId: id}, nil
}

func (p *probe) Describe(ctx context.Context, _ *gen.DescribeRequest) (*gen.DescribeResponse, error) {
	mutual := false
	if from, known := peer.FromContext(ctx); known {
		tls, secured := from.AuthInfo.(credentials.TLSInfo)
		mutual = secured && len(tls.State.PeerCertificates) > 0
	}
	return &gen.DescribeResponse{
		ProtocolVersion: uint32(p.version),
		MutualTls:       mutual,
		Multiplexed:     canMultiplex && os.Getenv("PLUGIN_MULTIPLEX_GRPC") == "true",
		Pid:             uint32(os.Getpid()),
	}, nil
}

// answer is what either side serves on a brokered connection.
type answer struct {
	gen.UnimplementedAnswerServer
	prefix string
}

func (a *answer) Ask(_ context.Context, payload *gen.Payload) (*gen.Payload, error) {
	return &gen.Payload{Data: append([]byte(a.prefix), payload.GetData()...)}, nil
}

// serveAnswer serves one on a brokered connection, and returns once the other side
// may dial it: a knock before there is a listener ends a multiplexed session.
func serveAnswer(broker *plugin.GRPCBroker, id uint32, prefix string) {
	server := answerServer(prefix)
	listens, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
			close(listens)
			return server(options)
		})
	}()
	select {
	case <-listens:
	case <-ended:
	}
}

// answerServer is what AcceptAndServe wants: a server with the options, which
// hold the TLS of the main connection.
func answerServer(prefix string) func([]grpc.ServerOption) *grpc.Server {
	return func(options []grpc.ServerOption) *grpc.Server {
		server := grpc.NewServer(append(options, grpc.MaxRecvMsgSize(largest))...)
		gen.RegisterAnswerServer(server, &answer{prefix: prefix})
		return server
	}
}
