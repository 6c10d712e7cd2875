package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

const ending = ".key"

// store is a directory of keys in hexadecimal digits, made when it is first
// needed; "" keeps nothing. A wallet for tests: the files are not encrypted.
type store string

type secret struct {
	key *secp256k1.PrivateKey
	url string
}

func (s store) all() ([]secret, error) {
	if s == "" {
		return nil, nil
	}
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(string(s))
	if err != nil {
		return nil, err
	}
	var secrets []secret
	for _, entry := range entries {
		name, isKey := strings.CutSuffix(entry.Name(), ending)
		if !isKey {
			continue
		}
		text, err := os.ReadFile(s.path(name))
		if err != nil {
			return nil, err
		}
		raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil || len(raw) != keyBytes {
			return nil, fmt.Errorf("%s holds no key", s.path(name))
		}
		secrets = append(secrets, secret{key: secp256k1.PrivKeyFromBytes(raw), url: s.url(name)})
	}
	return secrets, nil
}

// keep writes a key and gives its URL. A secret that is there is overwritten
// only where that is asked for.
func (s store) keep(name string, key *secp256k1.PrivateKey, overwrite bool) (string, error) {
	if s == "" {
		return s.url(name), nil
	}
	if _, err := os.Stat(s.path(name)); err == nil && !overwrite {
		return "", fmt.Errorf("secret %s is there already", name)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	// Renamed into place, so that no half of a key is ever found.
	half := filepath.Join(string(s), "."+name)
	if err := os.WriteFile(half, []byte(hex.EncodeToString(key.Serialize())), 0o600); err != nil {
		return "", err
	}
	return s.url(name), os.Rename(half, s.path(name))
}

func (s store) path(name string) string { return filepath.Join(string(s), name+ending) }

func (s store) url(name string) string {
	if s == "" {
		return "memory://" + name
	}
	return "file://" + s.path(name)
}
