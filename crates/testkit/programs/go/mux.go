//go:build mux

package main

import "github.com/hashicorp/go-plugin"

// canMultiplex: go-plugin has it from 1.6.0.
const canMultiplex = true

func multiplex(config *plugin.ClientConfig) error {
	config.GRPCBrokerMultiplex = true
	return nil
}
