// Command quorum-account-plugin-keys is a wallet of real secp256k1 keys, in memory or in a directory.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/jpmorganchase/quorum-account-plugin-sdk-go/proto"
	"github.com/jpmorganchase/quorum-account-plugin-sdk-go/proto_common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/outrigger/quorum/serve"
)

// config names the accounts that are open from the start, and where keys are
// kept: a file:// URL; in memory without one.
type config struct {
	AccountDirectory string   `json:"accountDirectory"`
	Unlock           []string `json:"unlock"`
}

// service answers UNAVAILABLE until Init gave it a wallet.
type service struct{ wallet *wallet }

func (s *service) Init(_ context.Context, request *proto_common.PluginInitialization_Request) (*proto_common.PluginInitialization_Response, error) {
	wallet, err := configured(request.GetRawConfiguration())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	s.wallet = wallet
	return &proto_common.PluginInitialization_Response{}, nil
}

func configured(raw []byte) (*wallet, error) {
	var c config
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &c); err != nil {
			return nil, fmt.Errorf("the config is not the JSON that was expected: %v", err)
		}
	}
	directory := ""
	if c.AccountDirectory != "" {
		parsed, err := url.Parse(c.AccountDirectory)
		if err != nil || parsed.Scheme != "file" || parsed.Host != "" || parsed.Path == "" {
			return nil, fmt.Errorf("accountDirectory must be an absolute file:// URL")
		}
		directory = parsed.Path
	}
	return open(directory, c.Unlock)
}

// ask runs one call against the wallet, and gives its faults their codes.
func ask[T any](s *service, call func(w *wallet) (T, error)) (T, error) {
	var none T
	if s.wallet == nil {
		return none, status.Error(codes.Unavailable, "not configured")
	}
	answer, err := call(s.wallet)
	if err == nil {
		return answer, nil
	}
	if _, refused := err.(invalid); refused {
		return none, status.Error(codes.InvalidArgument, err.Error())
	}
	return none, status.Error(codes.Internal, err.Error())
}

func (s *service) Status(context.Context, *proto.StatusRequest) (*proto.StatusResponse, error) {
	return ask(s, func(w *wallet) (*proto.StatusResponse, error) {
		return &proto.StatusResponse{Status: w.status()}, nil
	})
}

func (s *service) Open(context.Context, *proto.OpenRequest) (*proto.OpenResponse, error) {
	return &proto.OpenResponse{}, nil
}

func (s *service) Close(context.Context, *proto.CloseRequest) (*proto.CloseResponse, error) {
	return &proto.CloseResponse{}, nil
}

func (s *service) Accounts(context.Context, *proto.AccountsRequest) (*proto.AccountsResponse, error) {
	return ask(s, func(w *wallet) (*proto.AccountsResponse, error) {
		response := &proto.AccountsResponse{}
		for _, account := range w.all() {
			response.Accounts = append(response.Accounts, sent(account))
		}
		return response, nil
	})
}

func (s *service) Contains(_ context.Context, request *proto.ContainsRequest) (*proto.ContainsResponse, error) {
	return ask(s, func(w *wallet) (*proto.ContainsResponse, error) {
		contained, err := w.contains(request.GetAddress())
		return &proto.ContainsResponse{IsContained: contained}, err
	})
}

func (s *service) Sign(_ context.Context, request *proto.SignRequest) (*proto.SignResponse, error) {
	return ask(s, func(w *wallet) (*proto.SignResponse, error) {
		signature, err := w.sign(request.GetAddress(), request.GetToSign(), false)
		return &proto.SignResponse{Sig: signature}, err
	})
}

func (s *service) UnlockAndSign(_ context.Context, request *proto.UnlockAndSignRequest) (*proto.SignResponse, error) {
	return ask(s, func(w *wallet) (*proto.SignResponse, error) {
		signature, err := w.sign(request.GetAddress(), request.GetToSign(), true)
		return &proto.SignResponse{Sig: signature}, err
	})
}

func (s *service) TimedUnlock(_ context.Context, request *proto.TimedUnlockRequest) (*proto.TimedUnlockResponse, error) {
	return ask(s, func(w *wallet) (*proto.TimedUnlockResponse, error) {
		return &proto.TimedUnlockResponse{}, w.unlock(request.GetAddress(), time.Duration(request.GetDuration()))
	})
}

func (s *service) Lock(_ context.Context, request *proto.LockRequest) (*proto.LockResponse, error) {
	return ask(s, func(w *wallet) (*proto.LockResponse, error) {
		return &proto.LockResponse{}, w.lock(request.GetAddress())
	})
}

func (s *service) NewAccount(_ context.Context, request *proto.NewAccountRequest) (*proto.NewAccountResponse, error) {
	return ask(s, func(w *wallet) (*proto.NewAccountResponse, error) {
		account, err := w.create(request.GetNewAccountConfig())
		return &proto.NewAccountResponse{Account: sent(account)}, err
	})
}

func (s *service) ImportRawKey(_ context.Context, request *proto.ImportRawKeyRequest) (*proto.ImportRawKeyResponse, error) {
	return ask(s, func(w *wallet) (*proto.ImportRawKeyResponse, error) {
		account, err := w.take(request.GetRawKey(), request.GetNewAccountConfig())
		return &proto.ImportRawKeyResponse{Account: sent(account)}, err
	})
}

func sent(a account) *proto.Account {
	return &proto.Account{Address: a.address[:], Url: a.url}
}

func main() {
	s := &service{}
	serve.Plugin(func(server *grpc.Server) {
		proto_common.RegisterPluginInitializerServer(server, s)
		proto.RegisterAccountServiceServer(server, s)
	})
}
