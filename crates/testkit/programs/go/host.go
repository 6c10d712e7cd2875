package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

const (
	pluginName = "interop"
	// stepTimeout bounds every step: a plugin that hangs is a result.
	stepTimeout = 8 * time.Second
	// startTimeout bounds the launch.
	startTimeout = 15 * time.Second
)

// report is what the host prints. Steps that failed stand in Failed, by name,
// with what the other side or the library said; "start" is one of them.
type report struct {
	GoPlugin          string            `json:"go_plugin"`
	Protocol          string            `json:"protocol"`
	NegotiatedVersion int               `json:"negotiated_version"`
	PID               int               `json:"pid"`
	Done              map[string]string `json:"done"`
	Failed            map[string]string `json:"failed"`
	Exited            bool              `json:"exited"`
	ForcedKill        bool              `json:"forced_kill"`
	KillMs            float64           `json:"kill_ms"`
	SyncStdout        string            `json:"sync_stdout"`
	SyncStderr        string            `json:"sync_stderr"`
	// Log is what go-plugin logged, the plugin's own records among it.
	Log []string `json:"log"`
}

type options struct {
	mtls     bool
	mux      bool
	versions versionList
	steps    []string
	large    int
	calls    int
	command  []string
}

func parse(arguments []string) (options, error) {
	o := options{versions: versionList{1}}
	flags := flag.NewFlagSet("interop host", flag.ExitOnError)
	plain := flags.Bool("plain", false, "talk plaintext instead of AutoMTLS")
	flags.BoolVar(&o.mux, "mux", false, "multiplex the broker over the plugin's one socket")
	flags.Var(&o.versions, "versions", "the protocol `VERSIONS` it offers, as in 1,2")
	chosen := flags.String("steps", "ping,greeting", "what to do, in order, of "+strings.Join(stepNames(), ","))
	flags.IntVar(&o.large, "large", 5<<20, "`BYTES` of the step large")
	flags.IntVar(&o.calls, "calls", 500, "calls of the step calls")
	_ = flags.Parse(arguments)
	o.mtls, o.steps, o.command = !*plain, strings.Split(*chosen, ","), flags.Args()
	for _, name := range o.steps {
		if _, known := steps[name]; !known {
			return o, fmt.Errorf("step %q is not known", name)
		}
	}
	if len(o.command) == 0 {
		return o, fmt.Errorf("name the plugin to host")
	}
	return o, nil
}

func runHost(arguments []string) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	r := &report{GoPlugin: goPlugin, Done: map[string]string{}, Failed: map[string]string{}}
	log, stdout, stderr := &text{}, &text{}, &text{}
	command := exec.Command(o.command[0], o.command[1:]...)
	config := &plugin.ClientConfig{
		HandshakeConfig:  handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{},
		Cmd:              command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         o.mtls,
		StartTimeout:     startTimeout,
		SyncStdout:       stdout,
		SyncStderr:       stderr,
		Logger: hclog.New(&hclog.LoggerOptions{
			Name: "host", Level: hclog.Trace, Output: log, JSONFormat: true,
		}),
	}
	for _, version := range o.versions {
		config.VersionedPlugins[version] = plugin.PluginSet{pluginName: &hosted{}}
	}
	if o.mux {
		if err := multiplex(config); err != nil {
			return err
		}
	}
	client := plugin.NewClient(config)
	// A second Kill does nothing, so this one serves a panic.
	defer client.Kill()
	use(client, o, r)
	if command.Process != nil {
		r.PID = command.Process.Pid
	}

	begin := time.Now()
	client.Kill()
	r.KillMs = float64(time.Since(begin).Microseconds()) / 1e3
	r.Exited = client.Exited()
	r.SyncStdout, r.SyncStderr = stdout.String(), stderr.String()
	r.Log = log.lines()
	for _, line := range r.Log {
		// go-plugin's only sign that it gave up waiting and sent SIGKILL.
		r.ForcedKill = r.ForcedKill || strings.Contains(line, "plugin failed to exit gracefully")
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// use starts the plugin and takes the steps; the first that fails is the last.
func use(client *plugin.Client, o options, r *report) {
	protocol, err := client.Client()
	if err != nil {
		r.Failed["start"] = err.Error()
		return
	}
	r.Protocol, r.NegotiatedVersion = string(client.Protocol()), client.NegotiatedVersion()
	raw, err := protocol.Dispense(pluginName)
	if err != nil {
		r.Failed["dispense"] = err.Error()
		return
	}
	session := raw.(*session)
	session.protocol, session.options = protocol, o
	for _, name := range o.steps {
		ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
		seen, err := steps[name](ctx, session)
		cancel()
		if err != nil {
			r.Failed[name] = err.Error()
			return
		}
		r.Done[name] = seen
	}
}

// hosted is the host's half of what go-plugin dispenses.
type hosted struct {
	plugin.NetRPCUnsupportedPlugin
}

func (*hosted) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return fmt.Errorf("this program is a host, not a plugin")
}

func (*hosted) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &session{broker: broker, conn: conn}, nil
}

// versionList is a flag such as 1,2.
type versionList []int

func (v *versionList) String() string { return fmt.Sprint(*v) }

func (v *versionList) Set(value string) error {
	*v = nil
	for _, item := range strings.Split(value, ",") {
		version, err := strconv.Atoi(item)
		if err != nil {
			return err
		}
		*v = append(*v, version)
	}
	return nil
}
