// Command qlight-token-manager gets tokens from an OAuth2 endpoint for a QLight client.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ConsenSys/quorum-qlight-token-manager-plugin-sdk-go/proto"
	"github.com/ConsenSys/quorum-qlight-token-manager-plugin-sdk-go/proto_common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/outrigger/quorum/serve"
)

// config says which endpoint is asked, and what: ${PSI} in a parameter stands
// for the private state.
type config struct {
	URL, Method                      string
	TLSSkipVerify                    bool
	RefreshAnticipationInMillisecond int32
	Parameters                       map[string]string
}

type service struct {
	proto_common.UnimplementedPluginInitializerServer
	proto.UnimplementedPluginQLightTokenRefresherServer
	config *config
}

func (s *service) Init(_ context.Context, request *proto_common.PluginInitialization_Request) (*proto_common.PluginInitialization_Response, error) {
	c := &config{}
	// Its text shows no config: parameters hold secrets.
	err := json.Unmarshal(request.GetRawConfiguration(), c)
	switch {
	case err != nil:
		err = errors.New("invalid config: not the JSON that was expected")
	case c.URL == "":
		err = errors.New("url must be provided")
	case c.Method == "":
		err = errors.New("method must be provided")
	}
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	s.config = c
	return &proto_common.PluginInitialization_Response{}, nil
}

func (s *service) PluginQLightTokenManager(context.Context, *proto.PluginQLightTokenManager_Request) (*proto.PluginQLightTokenManager_Response, error) {
	if s.config == nil {
		return nil, status.Error(codes.Unavailable, "not configured")
	}
	anticipation := max(s.config.RefreshAnticipationInMillisecond, 0)
	return &proto.PluginQLightTokenManager_Response{RefreshAnticipationInMillisecond: anticipation}, nil
}

func (s *service) TokenRefresh(ctx context.Context, request *proto.TokenRefresh_Request) (*proto.TokenRefresh_Response, error) {
	if s.config == nil {
		return nil, status.Error(codes.Unavailable, "not configured")
	}
	current := request.GetCurrentToken()
	anticipation := time.Duration(s.config.RefreshAnticipationInMillisecond) * time.Millisecond
	if end, known := end(current); known && time.Until(end) > anticipation {
		return &proto.TokenRefresh_Response{Token: current}, nil
	}
	token, err := s.config.fetch(ctx, request.GetPsi())
	if err != nil {
		// Without a code of its own, as the public plugin has it.
		return nil, err
	}
	return &proto.TokenRefresh_Response{Token: "bearer " + token}, nil
}

// end reads when a token ends, without judging it.
func end(token string) (time.Time, bool) {
	if _, after, found := strings.Cut(token, " "); found {
		token = after
	}
	parts := strings.Split(token, ".")
	if len(parts) < 2 {
		return time.Time{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}, false
	}
	var claims struct{ Exp int64 }
	if err := json.Unmarshal(payload, &claims); err != nil {
		return time.Time{}, false
	}
	return time.Unix(claims.Exp, 0), true
}

func main() {
	s := &service{}
	serve.Plugin(func(server *grpc.Server) {
		proto_common.RegisterPluginInitializerServer(server, s)
		proto.RegisterPluginQLightTokenRefresherServer(server, s)
	})
}
