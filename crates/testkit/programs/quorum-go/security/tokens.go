package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/jpmorganchase/quorum-security-plugin-sdk-go/proto"
)

const (
	keySetLimit   = 1 << 20
	keySetTimeout = 10 * time.Second
)

var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// tokens checks tokens against the key set of an authorisation server.
type tokens struct {
	config   *tokenConfig
	audience string
	client   *http.Client
}

// verified is what a good token says.
type verified struct {
	end    time.Time
	scopes []string
}

func newTokens(config *tokenConfig, audience string) (*tokens, error) {
	transport := &http.Transport{}
	if c := config.JWS.TLSConnection; c != nil {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: c.InsecureSkipVerify}
		if !c.InsecureSkipVerify {
			roots := x509.NewCertPool()
			for _, file := range []value{c.CertFile, c.CAFile} {
				if file == "" {
					continue
				}
				pem, err := os.ReadFile(string(file))
				if err != nil {
					return nil, err
				}
				if !roots.AppendCertsFromPEM(pem) {
					return nil, fmt.Errorf("[jws] %s holds no certificate", file)
				}
			}
			transport.TLSClientConfig.RootCAs = roots
		}
	}
	return &tokens{config, audience, &http.Client{Transport: transport, Timeout: keySetTimeout}}, nil
}

// bearer gives the token of a whole Authorization header.
func bearer(header string) (string, error) {
	at := strings.IndexFunc(header, unicode.IsSpace)
	if at < 0 {
		return "", errors.New("invalid token format")
	}
	if kind := header[:at]; !strings.EqualFold(kind, "bearer") {
		return "", fmt.Errorf("invalid token type [%s], expected BEARER token", kind)
	}
	return strings.TrimSpace(header[at:]), nil
}

func (t *tokens) verify(ctx context.Context, text string) (*verified, error) {
	token, err := jwt.ParseSigned(text, algorithms)
	if err != nil {
		return nil, err
	}
	keys, err := t.keys(ctx)
	if err != nil {
		return nil, err
	}
	var claims jwt.Claims
	var all map[string]any
	if err := token.Claims(keys, &claims, &all); err != nil {
		return nil, fmt.Errorf("failed to verify token signature due to %w", err)
	}
	if claims.Expiry == nil {
		return nil, errors.New("the token never ends")
	}
	// Whichever issuer it is; the last one's fault is as good as any.
	for _, issuer := range t.config.Issuers {
		expected := jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{t.audience}, Time: time.Now()}
		if err = claims.Validate(expected); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return &verified{claims.Expiry.Time(), scopes(all[t.config.JWT.AuthorizationField])}, nil
}

func (t *tokens) keys(ctx context.Context) (*jose.JSONWebKeySet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.config.JWS.Endpoint, nil)
	if err != nil {
		return nil, err
	}
	response, err := t.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("failed to retrieve JSON Web Keysets due to %w", err)
	}
	defer response.Body.Close()
	keys := &jose.JSONWebKeySet{}
	if err := json.NewDecoder(io.LimitReader(response.Body, keySetLimit)).Decode(keys); err != nil {
		return nil, fmt.Errorf("failed to decode JSON Web Keysets response due to %w", err)
	}
	return keys, nil
}

// scopes are one text with spaces between, or a list.
func scopes(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return strings.Fields(claim)
	case []any:
		texts := []string{}
		for _, scope := range claim {
			texts = append(texts, strings.TrimSpace(fmt.Sprint(scope)))
		}
		return texts
	default:
		return nil
	}
}

// authority reads rpc://SERVICE_METHOD, with a full stop or an underscore and
// either side left out for all; what is under another scheme is passed on raw.
func authority(scope string) (*proto.GrantedAuthority, bool) {
	parsed, err := url.Parse(scope)
	if err != nil {
		return nil, false
	}
	granted := &proto.GrantedAuthority{Raw: scope}
	if !strings.EqualFold(parsed.Scheme, "rpc") {
		return granted, true
	}
	separates := func(r rune) bool { return r == '.' || r == '_' }
	parts := strings.FieldsFunc(parsed.Host, separates)
	if strings.IndexFunc(parsed.Host, separates) == 0 && len(parts) == 1 {
		parts = []string{"", parts[0]}
	}
	granted.Service, granted.Method = "*", "*"
	for i, part := range parts {
		if part = strings.TrimSpace(part); part == "" {
			continue
		} else if i == 0 {
			granted.Service = part
		} else if i == 1 {
			granted.Method = part
		}
	}
	return granted, true
}
