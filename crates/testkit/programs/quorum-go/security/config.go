package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// config is the whole config; one of the two blocks at least must be there.
type config struct {
	TLS             *tlsConfig   `json:"tls"`
	TokenValidation *tokenConfig `json:"tokenValidation"`
}

type tlsConfig struct {
	// Makes key and certificate where neither file is there.
	Auto     bool  `json:"auto"`
	CertFile value `json:"certFile"`
	KeyFile  value `json:"keyFile"`
	Advanced struct {
		CipherSuites []string `json:"cipherSuites"`
	} `json:"advanced"`
	suites []uint32
}

type tokenConfig struct {
	Issuers    []string   `json:"issuers"`
	Introspect *struct{}  `json:"introspect"`
	JWS        *jwsConfig `json:"jws"`
	JWT        struct {
		AuthorizationField string `json:"authorizationField"`
	} `json:"jwt"`
}

type jwsConfig struct {
	Endpoint      string            `json:"endpoint"`
	TLSConnection *connectionConfig `json:"tlsConnection"`
}

type connectionConfig struct {
	InsecureSkipVerify bool  `json:"insecureSkipVerify"`
	CertFile           value `json:"certFile"`
	CAFile             value `json:"caFile"`
}

// value is a text, or env://NAME for what a variable holds.
type value string

func (v *value) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("not a string")
	}
	if parsed, err := url.Parse(text); err == nil && parsed.Scheme == "env" {
		text = os.Getenv(parsed.Host)
	}
	*v = value(text)
	return nil
}

// or gives what stands for an empty value.
func (v value) or(other string) string {
	if v == "" {
		return other
	}
	return string(v)
}

var defaultSuites = []string{
	"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
}

// configured reads a config, with its defaults. Its errors show none of it: it
// may hold credentials.
func configured(raw []byte) (*config, error) {
	c := &config{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, errors.New("can't parse configuration")
	}
	if c.TLS == nil && c.TokenValidation == nil {
		return nil, errors.New("invalid configuration: 'tls' block and/or 'tokenValidation' block must be configured")
	}
	if c.TLS != nil {
		if err := c.TLS.complete(); err != nil {
			return nil, fmt.Errorf("invalid configuration: %w", err)
		}
	}
	if c.TokenValidation != nil {
		if err := c.TokenValidation.complete(); err != nil {
			return nil, fmt.Errorf("invalid configuration: %w", err)
		}
	}
	return c, nil
}

func (c *tlsConfig) complete() error {
	c.CertFile, c.KeyFile = value(c.CertFile.or("cert.pem")), value(c.KeyFile.or("key.pem"))
	if !c.Auto && !exists(string(c.CertFile)) {
		return fmt.Errorf("cert file [%s] does not exist", c.CertFile)
	}
	if !c.Auto && !exists(string(c.KeyFile)) {
		return fmt.Errorf("key file [%s] does not exist", c.KeyFile)
	}
	names := c.Advanced.CipherSuites
	if len(names) == 0 {
		names = defaultSuites
	}
	numbers := map[string]uint16{}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		numbers[suite.Name] = suite.ID
		// The names that Go gave two of them first.
		numbers[strings.TrimSuffix(suite.Name, "_POLY1305_SHA256")+"_POLY1305"] = suite.ID
	}
	for _, name := range names {
		number, known := numbers[name]
		if !known {
			return fmt.Errorf("not supported cipher suite %s", name)
		}
		c.suites = append(c.suites, uint32(number))
	}
	return nil
}

func (c *tokenConfig) complete() error {
	if c.Introspect != nil {
		return errors.New("this program checks signatures, and asks no introspection endpoint")
	}
	if c.JWS == nil {
		return errors.New("missing introspect/jws configuration")
	}
	if c.JWS.Endpoint == "" {
		return errors.New("missing endpoint to retrieve JSON Web Keyset")
	}
	if len(c.Issuers) == 0 {
		c.Issuers = []string{"http://goquorum.com/oauth"}
	}
	if c.JWT.AuthorizationField == "" {
		c.JWT.AuthorizationField = "scope"
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
