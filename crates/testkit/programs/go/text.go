package main

import (
	"bytes"
	"strings"
	"sync"
)

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

func (t *text) lines() []string {
	return strings.Split(strings.TrimSpace(t.String()), "\n")
}
