package interop

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// greeting is a tool of the MCP server behind Cardea.
type greeting struct {
	Name string `json:"name"`
}

// openTools starts an MCP server that knows nothing of tokens.
func openTools(t *testing.T) string {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "greet", Description: "say hello"},
		func(_ context.Context, _ *mcp.CallToolRequest, in greeting) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "hello " + in.Name}}}, nil, nil
		})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)}
	go s.Serve(l) // ends with Close
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}

// An agent finds out by itself where to ask for a token: the 401 names the resource's
// metadata, that names the issuer, and the issuer's names the endpoints. A person agrees,
// and the agent calls a tool behind Cardea.
func TestMCPClientFindsItsWayIn(t *testing.T) {
	w, err := launch("mcp", "--upstream", openTools(t))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := w.register(t, registration{
		Public: true, Grants: []string{"authorization_code", "refresh_token"}, RedirectURIs: []string{redirect}, Scopes: []string{"read", "write"},
	})
	var asked url.Values
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		PreregisteredClient: &oauthex.ClientCredentials{ClientID: id, Issuer: w.Base},
		RedirectURL:         "http://127.0.0.1:4712/callback",
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			u, err := url.Parse(args.URL)
			if err != nil {
				return nil, err
			}
			asked = u.Query()
			at, err := w.visit(args.URL)
			if err != nil {
				return nil, err
			}
			back, err := url.Parse(at)
			if err != nil {
				return nil, err
			}
			q := back.Query()
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: w.Base + "/v1/mcp", OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"name": "Ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := result.Content[0].(*mcp.TextContent); !ok || text.Text != "hello Ada" {
		t.Errorf("the tool answered %v", result.Content)
	}
	// The challenge named what the route needs, and nothing more was asked for.
	if got := strings.Fields(asked.Get("scope")); !slices.Contains(got, "write") || slices.Contains(got, "delete") {
		t.Errorf("asked for %v", got)
	}
	if asked.Get("resource") == "" || asked.Get("code_challenge_method") != "S256" {
		t.Errorf("asked %v", asked)
	}
}
