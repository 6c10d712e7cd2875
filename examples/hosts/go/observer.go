package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
)

// observer collects what go-plugin says and what the plugin prints.
type observer struct {
	logger     hclog.Logger
	forced     atomic.Bool
	stderr     text
	syncStdout text
	syncStderr text
}

func newObserver(verbose bool) *observer {
	o := &observer{}
	var output io.Writer = io.Discard
	if verbose {
		output = os.Stderr
	}
	// Trace, because a sink sees only what the logger's level lets through.
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "gohost", Level: hclog.Trace, Output: output})
	logger.RegisterSink(o)
	o.logger = logger
	return o
}

// Accept watches for the warning that is go-plugin's only sign that it gave up
// waiting and sent SIGKILL.
func (o *observer) Accept(_ string, _ hclog.Level, msg string, _ ...any) {
	if msg == "plugin failed to exit gracefully" {
		o.forced.Store(true)
	}
}

// lastWords is the end of the plugin's stderr, for an error message: the plugin
// usually says why it did not start, and go-plugin does not repeat it.
func (o *observer) lastWords() string {
	const most = 5
	lines := strings.Split(strings.TrimSpace(o.stderr.String()), "\n")
	if lines[0] == "" {
		return ""
	}
	return fmt.Sprintf("\nthe plugin's stderr ends with:\n  %s", strings.Join(lines[max(0, len(lines)-most):], "\n  "))
}

// text is a buffer that go-plugin's tasks fill while others read.
type text struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.String()
}

func (t *text) lines() int {
	return strings.Count(t.String(), "\n")
}
