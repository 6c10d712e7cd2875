// Command gohost is a host in Go, on HashiCorp's go-plugin and nothing of
// Outrigger's. It launches a hello-world plugin as GoQuorum does, calls it,
// stops it and prints what it saw as JSON: the proof that a plugin made with
// Outrigger's SDK runs under an unmodified host.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"example.com/outrigger/hello/gen"
)

// handshake holds GoQuorum's values.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "QUORUM_PLUGIN_MAGIC_COOKIE",
	MagicCookieValue: "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E0941152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664",
}

const (
	pluginName = "helloworld"
	// callTimeout bounds every call: a plugin that hangs is a result, not a hang of the host.
	callTimeout = 10 * time.Second
)

type options struct {
	mtls     bool
	config   string
	identity string
	message  string
	calls    int
	compact  bool
	linger   bool
	verbose  bool
	command  []string
}

// report is what gohost prints; the README says what each field means.
type report struct {
	Greeting          string  `json:"greeting"`
	Protocol          string  `json:"protocol"`
	NegotiatedVersion int     `json:"negotiated_version"`
	PluginPID         int     `json:"plugin_pid"`
	StartMs           float64 `json:"start_ms"`
	InitMs            float64 `json:"init_ms"`
	CallUs            float64 `json:"call_us"`
	PingUs            float64 `json:"ping_us"`
	*ending
}

// ending is absent from the line that --linger prints while the plugin runs.
type ending struct {
	KillMs      float64 `json:"kill_ms"`
	Exited      bool    `json:"exited"`
	ForcedKill  bool    `json:"forced_kill"`
	StderrLines int     `json:"stderr_lines"`
	SyncStdout  string  `json:"sync_stdout"`
	SyncStderr  string  `json:"sync_stderr"`
}

func main() {
	if err := run(parse(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gohost:", err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	noMTLS := flag.Bool("no-mtls", false, "talk plaintext instead of AutoMTLS")
	flag.StringVar(&o.config, "config", `{"language":"en"}`, "the `JSON` that Init hands over")
	flag.StringVar(&o.identity, "identity", "gohost", "the host identity that Init hands over")
	flag.StringVar(&o.message, "msg", "Outrigger", "who is to be greeted")
	flag.IntVar(&o.calls, "calls", 1, "greetings to time; call_us is their median")
	flag.BoolVar(&o.compact, "json", false, "print the object on one line")
	flag.BoolVar(&o.linger, "linger", false, "print one line once the plugin answers, stop when stdin closes, print a second")
	flag.BoolVar(&o.verbose, "verbose", false, "copy go-plugin's log, with the plugin's stderr in it, to stderr")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: gohost [FLAGS] PLUGIN_PATH [ARGS...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	o.mtls, o.command = !*noMTLS, flag.Args()
	if len(o.command) == 0 || o.calls < 1 {
		flag.Usage()
		os.Exit(2)
	}
	return o
}

func run(o options, stdin io.Reader, stdout io.Writer) error {
	seen := newObserver(o.verbose)
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]plugin.PluginSet{1: {pluginName: greeter{}}},
		Cmd:              exec.Command(o.command[0], o.command[1:]...),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         o.mtls,
		Logger:           seen.logger,
		Stderr:           &seen.stderr,
		SyncStdout:       &seen.syncStdout,
		SyncStderr:       &seen.syncStderr,
	})
	// A second Kill does nothing, so this one serves the paths that fail.
	defer client.Kill()

	r, err := use(client, o)
	if err != nil {
		return fmt.Errorf("%w%s", err, seen.lastWords())
	}
	if o.linger {
		if err := write(stdout, r, true); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, stdin); err != nil {
			return fmt.Errorf("waiting for stdin to close: %w", err)
		}
	}

	begin := time.Now()
	client.Kill()
	r.ending = &ending{
		KillMs:      milliseconds(time.Since(begin)),
		Exited:      client.Exited(),
		ForcedKill:  seen.forced.Load(),
		StderrLines: seen.stderr.lines(),
		SyncStdout:  seen.syncStdout.String(),
		SyncStderr:  seen.syncStderr.String(),
	}
	return write(stdout, r, o.compact || o.linger)
}

// use starts the plugin and makes every call that gohost knows.
func use(client *plugin.Client, o options) (*report, error) {
	begin := time.Now()
	protocol, err := client.Client()
	if err != nil {
		return nil, fmt.Errorf("the plugin did not start: %w", err)
	}
	r := &report{StartMs: milliseconds(time.Since(begin)), NegotiatedVersion: client.NegotiatedVersion()}
	r.Protocol = string(client.Protocol())
	if r.PluginPID, err = strconv.Atoi(client.ID()); err != nil {
		return nil, fmt.Errorf("go-plugin gave no process id: %w", err)
	}
	raw, err := protocol.Dispense(pluginName)
	if err != nil {
		return nil, fmt.Errorf("dispense: %w", err)
	}
	conn := raw.(*grpc.ClientConn) // what greeter.GRPCClient returns

	begin = time.Now()
	err = call(func(ctx context.Context) error {
		_, err := gen.NewPluginInitializerClient(conn).Init(ctx, &gen.PluginInitialization_Request{
			HostIdentity: o.identity, RawConfiguration: []byte(o.config),
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	r.InitMs = milliseconds(time.Since(begin))

	took := make([]time.Duration, 0, o.calls)
	for range o.calls {
		begin = time.Now()
		err := call(func(ctx context.Context) error {
			answer, err := gen.NewPluginGreetingClient(conn).Greeting(ctx, &gen.PluginHelloWorld_Request{Msg: o.message})
			r.Greeting = answer.GetMsg()
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("greeting: %w", err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	r.CallUs = microseconds(took[len(took)/2])

	begin = time.Now()
	if err := protocol.Ping(); err != nil {
		return nil, fmt.Errorf("ping: %w", err)
	}
	r.PingUs = microseconds(time.Since(begin))
	return r, nil
}

func call(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return do(ctx)
}

func write(to io.Writer, r *report, compact bool) error {
	encoder := json.NewEncoder(to)
	if !compact {
		encoder.SetIndent("", "  ")
	}
	return encoder.Encode(r)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// greeter hands the connection to the caller; one connection carries both services.
type greeter struct {
	plugin.NetRPCUnsupportedPlugin
}

func (greeter) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this program is a host, not a plugin")
}

func (greeter) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}
