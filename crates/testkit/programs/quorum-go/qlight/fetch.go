package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

const answerLimit = 1 << 20

// fetch asks the endpoint for a token.
func (c *config) fetch(ctx context.Context, psi string) (string, error) {
	parameters := map[string]string{}
	for name, template := range c.Parameters {
		parameters[name] = strings.ReplaceAll(template, "${PSI}", psi)
	}
	request, err := c.request(ctx, parameters)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: c.TLSSkipVerify}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken      string `json:"access_token"`
		Error            string `json:"error"`
		ErrorDescription string `json:"error_description"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, answerLimit)).Decode(&answer); err != nil {
		return "", fmt.Errorf("the endpoint's answer (%s) is not JSON", response.Status)
	}
	if answer.Error != "" {
		return "", fmt.Errorf("%s: %s", answer.Error, answer.ErrorDescription)
	}
	if answer.AccessToken == "" {
		return "", errors.New("the endpoint answered without a token")
	}
	return answer.AccessToken, nil
}

// request puts the parameters where the method has them: in a form, in the
// address, or in JSON.
func (c *config) request(ctx context.Context, parameters map[string]string) (*http.Request, error) {
	address, kind := c.URL, "application/json"
	// A pointer, and nil for GET: net/http takes that for a body and panics. The
	// public plugin dies of it, and so does this one, for hosts to be tried on.
	var body *bytes.Reader
	switch c.Method {
	case http.MethodPost, http.MethodPut:
		buffer := &bytes.Buffer{}
		form := multipart.NewWriter(buffer)
		for name, value := range parameters {
			if err := form.WriteField(name, value); err != nil {
				return nil, err
			}
		}
		if err := form.Close(); err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(buffer.Bytes()), form.FormDataContentType()
	case http.MethodGet:
		query := url.Values{}
		for name, value := range parameters {
			query.Set(name, value)
		}
		address += "?" + query.Encode()
	default:
		text, err := json.Marshal(parameters)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, c.Method, address, body)
	if err == nil {
		request.Header.Set("Content-Type", kind)
	}
	return request, err
}
