//go:build !mux

package main

import (
	"errors"

	"github.com/hashicorp/go-plugin"
)

// canMultiplex: go-plugin has it from 1.6.0.
const canMultiplex = false

func multiplex(*plugin.ClientConfig) error {
	return errors.New("this release of go-plugin has no multiplexing")
}
