package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"example.com/outrigger/interop/gen"
)

// session is the host's view of the plugin that it launched.
type session struct {
	broker   *plugin.GRPCBroker
	conn     *grpc.ClientConn
	protocol plugin.ClientProtocol
	options  options
}

func (s *session) probe() gen.ProbeClient { return gen.NewProbeClient(s.conn) }

// steps are what the host can do with a plugin; each gives what it saw.
var steps = map[string]func(context.Context, *session) (string, error){
	"ping":       ping,
	"greeting":   greeting,
	"echo":       echo,
	"stream":     stream,
	"large":      large,
	"calls":      calls,
	"print":      printBoth,
	"log":        logRecord,
	"describe":   describe,
	"call-host":  callHost,
	"offer":      offer,
	"both-twice": bothTwice,
}

func stepNames() []string {
	var names []string
	for name := range steps {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func ping(_ context.Context, s *session) (string, error) {
	return "pong", s.protocol.Ping()
}

// greeting is GoQuorum's hello world.
func greeting(ctx context.Context, s *session) (string, error) {
	_, err := gen.NewPluginInitializerClient(s.conn).Init(ctx, &gen.PluginInitialization_Request{
		HostIdentity: "interop", RawConfiguration: []byte(`{"language":"de"}`),
	})
	if err != nil {
		return "", fmt.Errorf("init: %w", err)
	}
	answer, err := gen.NewPluginGreetingClient(s.conn).Greeting(ctx, &gen.PluginHelloWorld_Request{Msg: "Go"})
	return answer.GetMsg(), err
}

func echo(ctx context.Context, s *session) (string, error) {
	answer, err := s.probe().Echo(ctx, &gen.Payload{Data: []byte("echo")})
	return string(answer.GetData()), err
}

// stream sends as it receives: an order of its own is a failure.
func stream(ctx context.Context, s *session) (string, error) {
	both, err := s.probe().EchoStream(ctx)
	if err != nil {
		return "", err
	}
	for n := byte(0); n < 10; n++ {
		if err := both.Send(&gen.Payload{Data: []byte{n}}); err != nil {
			return "", err
		}
		answer, err := both.Recv()
		if err != nil {
			return "", err
		}
		if !bytes.Equal(answer.GetData(), []byte{n}) {
			return "", fmt.Errorf("%d came back as %v", n, answer.GetData())
		}
	}
	if err := both.CloseSend(); err != nil {
		return "", err
	}
	if _, err := both.Recv(); !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("the stream did not end: %v", err)
	}
	return "10", nil
}

// large goes both ways, so it needs a plugin that takes more than 4 MiB.
func large(ctx context.Context, s *session) (string, error) {
	data := bytes.Repeat([]byte("0123456789abcdef"), s.options.large/16)
	answer, err := s.probe().Echo(ctx, &gen.Payload{Data: data})
	if err == nil && !bytes.Equal(answer.GetData(), data) {
		err = errors.New("other bytes came back")
	}
	return fmt.Sprint(len(answer.GetData())), err
}

// calls are many while nothing is printed, so no stdio stream has a header yet.
func calls(ctx context.Context, s *session) (string, error) {
	for n := 0; n < s.options.calls; n++ {
		if _, err := s.probe().Echo(ctx, &gen.Payload{Data: []byte("again")}); err != nil {
			return "", fmt.Errorf("call %d: %w", n, err)
		}
	}
	return fmt.Sprint(s.options.calls), nil
}

func printBoth(ctx context.Context, s *session) (string, error) {
	_, err := s.probe().Print(ctx, &gen.PrintRequest{
		Stdout: []byte("to stdout\n"), Stderr: []byte("to stderr\n"),
	})
	return "", err
}

func logRecord(ctx context.Context, s *session) (string, error) {
	_, err := s.probe().Log(ctx, &gen.LogRequest{
		Level: "warn", Message: "a record", Fields: map[string]string{"key": "value"},
	})
	return "", err
}

func describe(ctx context.Context, s *session) (string, error) {
	d, err := s.probe().Describe(ctx, &gen.DescribeRequest{})
	return fmt.Sprintf("version %d, mutual TLS %t, multiplexed %t",
		d.GetProtocolVersion(), d.GetMutualTls(), d.GetMultiplexed()), err
}

// callHost lets the plugin call a service of the host.
func callHost(ctx context.Context, s *session) (string, error) {
	id := s.broker.NextId()
	serveAnswer(s.broker, id, "host:")
	answer, err := s.probe().CallHost(ctx, &gen.CallHostRequest{BrokerId: id, Data: []byte("question")})
	return string(answer.GetData()), err
}

// offer lets the host call a service of the plugin on a connection of its own.
func offer(ctx context.Context, s *session) (string, error) {
	offered, err := s.probe().Offer(ctx, &gen.OfferRequest{})
	if err != nil {
		return "", err
	}
	conn, err := s.broker.Dial(offered.GetBrokerId())
	if err != nil {
		return "", fmt.Errorf("dial %d: %w", offered.GetBrokerId(), err)
	}
	defer conn.Close()
	answer, err := gen.NewAnswerClient(conn).Ask(ctx, &gen.Payload{Data: []byte("question")})
	return string(answer.GetData()), err
}

// bothTwice is one direction after the other, twice: what one connection leaves
// behind must not be in the way of the next.
func bothTwice(ctx context.Context, s *session) (string, error) {
	var seen string
	for round := 0; round < 2; round++ {
		for _, step := range []func(context.Context, *session) (string, error){callHost, offer} {
			answer, err := step(ctx, s)
			if err != nil {
				return seen, err
			}
			seen += answer + " "
		}
	}
	return seen, nil
}
