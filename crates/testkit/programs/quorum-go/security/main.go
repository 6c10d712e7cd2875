// Command quorum-security-plugin-enterprise judges JSON web tokens and has a certificate for the node's RPC servers.
package main

import (
	"context"
	"errors"

	"github.com/jpmorganchase/quorum-security-plugin-sdk-go/proto"
	"github.com/jpmorganchase/quorum-security-plugin-sdk-go/proto_common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/outrigger/quorum/serve"
)

// service has what Init found configured; a part that is not answers
// UNIMPLEMENTED, from which the node learns that there is none.
type service struct {
	certificates *certificates
	tokens       *tokens
}

func (s *service) Init(_ context.Context, request *proto_common.PluginInitialization_Request) (*proto_common.PluginInitialization_Response, error) {
	config, err := configured(request.GetRawConfiguration())
	if err == nil && config.TokenValidation != nil && request.GetHostIdentity() == "" {
		err = errors.New("missing geth node name")
	}
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	s.certificates, s.tokens = nil, nil
	if config.TLS != nil {
		s.certificates = &certificates{config: config.TLS}
	}
	if config.TokenValidation != nil {
		if s.tokens, err = newTokens(config.TokenValidation, request.GetHostIdentity()); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	return &proto_common.PluginInitialization_Response{}, nil
}

func (s *service) Get(context.Context, *proto.TLSConfiguration_Request) (*proto.TLSConfiguration_Response, error) {
	if s.certificates == nil {
		return nil, status.Error(codes.Unimplemented, "no configuration")
	}
	certificate, key, err := s.certificates.pems()
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &proto.TLSConfiguration_Response{Data: &proto.TLSConfiguration_Data{
		CertPem: certificate, KeyPem: key, CipherSuites: s.certificates.config.suites,
	}}, nil
}

func (s *service) Authenticate(ctx context.Context, request *proto.AuthenticationToken) (*proto.PreAuthenticatedAuthenticationToken, error) {
	if s.tokens == nil {
		return nil, status.Error(codes.Unimplemented, "no configuration")
	}
	token, err := bearer(string(request.GetRawToken()))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	verified, err := s.tokens.verify(ctx, token)
	if err != nil {
		return nil, status.Error(codes.PermissionDenied, err.Error())
	}
	end := timestamppb.New(verified.end)
	if end.CheckValid() != nil {
		return nil, status.Error(codes.Unknown, "invalid timestamp in token")
	}
	answer := &proto.PreAuthenticatedAuthenticationToken{RawToken: request.GetRawToken(), ExpiredAt: end}
	for _, scope := range verified.scopes {
		if granted, known := authority(scope); known {
			answer.Authorities = append(answer.Authorities, granted)
		}
	}
	return answer, nil
}

func main() {
	s := &service{}
	serve.Plugin(func(server *grpc.Server) {
		proto_common.RegisterPluginInitializerServer(server, s)
		proto.RegisterTLSConfigurationSourceServer(server, s)
		proto.RegisterAuthenticationManagerServer(server, s)
	})
}
