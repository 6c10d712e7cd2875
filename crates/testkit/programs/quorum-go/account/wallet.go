package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

const (
	addressBytes = 20
	hashBytes    = 32
	keyBytes     = 32
)

// secret names are file names too.
var secretName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// invalid is what the caller did wrong.
type invalid string

func (i invalid) Error() string { return string(i) }

type address [addressBytes]byte

func (a address) String() string { return "0x" + hex.EncodeToString(a[:]) }

type account struct {
	address address
	url     string
}

// held is an account with its key; it signs while it is unlocked.
type held struct {
	account
	key      *secp256k1.PrivateKey
	unlocked bool
	// Locks again what was unlocked for a while.
	timer *time.Timer
}

// wallet keeps keys, in the order in which they came.
type wallet struct {
	mutex sync.Mutex
	store store
	order []address
	held  map[address]*held
}

// open reads the keys of a directory; "" is none.
func open(directory string, unlock []string) (*wallet, error) {
	w := &wallet{store: store(directory), held: map[address]*held{}}
	secrets, err := w.store.all()
	if err != nil {
		return nil, err
	}
	for _, secret := range secrets {
		w.add(secret.key, secret.url)
	}
	for _, text := range unlock {
		raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
		if err != nil || len(raw) != addressBytes {
			return nil, fmt.Errorf("unlock: %q is no address", text)
		}
		h, known := w.held[address(raw)]
		if !known {
			return nil, fmt.Errorf("unlock: there is no account %s", address(raw))
		}
		h.unlocked = true
	}
	return w, nil
}

func (w *wallet) add(key *secp256k1.PrivateKey, url string) account {
	a := account{address: addressOf(key), url: url}
	if _, known := w.held[a.address]; !known {
		w.order = append(w.order, a.address)
	}
	w.held[a.address] = &held{account: a, key: key}
	return a
}

func addressOf(key *secp256k1.PrivateKey) address {
	hash := sha3.NewLegacyKeccak256()
	// Without the byte that says that both coordinates follow.
	hash.Write(key.PubKey().SerializeUncompressed()[1:])
	return address(hash.Sum(nil)[hashBytes-addressBytes:])
}

func (w *wallet) status() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	open := []string{}
	for _, h := range w.held {
		if h.unlocked {
			open = append(open, h.address.String())
		}
	}
	sort.Strings(open)
	return fmt.Sprintf("%d unlocked account(s): %s", len(open), open)
}

func (w *wallet) all() []account {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	accounts := []account{}
	for _, a := range w.order {
		accounts = append(accounts, w.held[a].account)
	}
	return accounts
}

func (w *wallet) find(raw []byte) (*held, error) {
	if len(raw) != addressBytes {
		return nil, invalid(fmt.Sprintf("an address has %d bytes, not %d", addressBytes, len(raw)))
	}
	return w.held[address(raw)], nil
}

func (w *wallet) contains(raw []byte) (bool, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	h, err := w.find(raw)
	return h != nil, err
}

func (w *wallet) known(raw []byte) (*held, error) {
	h, err := w.find(raw)
	if err == nil && h == nil {
		err = fmt.Errorf("account %s is not here", address(raw))
	}
	return h, err
}

// sign signs a hash; with once, whether the account is locked or not. The
// signature is R, S and V, where V is 0 or 1.
func (w *wallet) sign(raw, hash []byte, once bool) ([]byte, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	h, err := w.known(raw)
	if err != nil {
		return nil, err
	}
	if !h.unlocked && !once {
		return nil, errors.New("account locked")
	}
	if len(hash) != hashBytes {
		return nil, invalid(fmt.Sprintf("what is signed has %d bytes, not %d", hashBytes, len(hash)))
	}
	// The library puts V first, and 27 into it.
	compact := ecdsa.SignCompact(h.key, hash, false)
	return append(compact[1:], compact[0]-27), nil
}

// unlock opens an account for a while, or for good when that is 0.
func (w *wallet) unlock(raw []byte, duration time.Duration) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	h, err := w.known(raw)
	if err != nil {
		return err
	}
	if duration < 0 {
		return invalid("a duration is not negative")
	}
	h.shut()
	h.unlocked = true
	if duration > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(duration, func() {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			if h.timer == timer {
				h.shut()
			}
		})
		h.timer = timer
	}
	return nil
}

func (h *held) shut() {
	if h.timer != nil {
		h.timer.Stop()
	}
	h.timer, h.unlocked = nil, false
}

func (w *wallet) lock(raw []byte) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	h, err := w.find(raw)
	if h != nil {
		h.shut()
	}
	return err
}

func (w *wallet) create(config []byte) (account, error) {
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return account{}, err
	}
	return w.keep(key, config)
}

func (w *wallet) take(text string, config []byte) (account, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != keyBytes {
		return account{}, invalid("a key is 64 hexadecimal digits")
	}
	var scalar secp256k1.ModNScalar
	if scalar.SetByteSlice(raw) || scalar.IsZero() {
		return account{}, invalid("the key is not on the curve")
	}
	return w.keep(secp256k1.NewPrivateKey(&scalar), config)
}

// keep stores a new account, which is locked.
func (w *wallet) keep(key *secp256k1.PrivateKey, config []byte) (account, error) {
	var c struct {
		SecretName          string `json:"secretName"`
		OverwriteProtection struct {
			InsecureDisable bool `json:"insecureDisable"`
		} `json:"overwriteProtection"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return account{}, invalid(fmt.Sprintf("the new account's config is not the JSON that was expected: %v", err))
	}
	if !secretName.MatchString(c.SecretName) {
		return account{}, invalid("secretName must be a plain file name")
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	url, err := w.store.keep(c.SecretName, key, c.OverwriteProtection.InsecureDisable)
	if err != nil {
		return account{}, err
	}
	return w.add(key, url), nil
}
