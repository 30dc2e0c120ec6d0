package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is what [New] needs.
type Config struct {
	// URL is the base URL of the management listener, such as
	// "http://127.0.0.1:8081". Required. The token goes to this server only: redirects
	// are not followed.
	URL string

	// Token is a management token. Required for everything but [Client.GetHealth].
	Token string

	// HTTPClient sends the requests; its CheckRedirect is not used. Nil: a client of
	// its own. Calls whose context has no deadline get one of 30 seconds, except
	// [Client.CreateBackup], which streams.
	HTTPClient *http.Client
}

// Client calls the management API. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	http  http.Client
}

// New returns a client. It sends nothing yet.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("admin: the URL must be http:// or https:// and a host")
	}
	client := &Client{base: strings.TrimSuffix(u.String(), "/"), token: c.Token}
	if c.HTTPClient != nil {
		client.http = *c.HTTPClient
	}
	client.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client, nil
}

// callTimeout bounds calls that their callers did not bound.
const callTimeout = 30 * time.Second

// Sizes of the answers the client reads.
const (
	maxAnswer  = 64 << 20
	maxProblem = 1 << 20
)

// send sends a request and returns the body of its successful answer.
func (c *Client) send(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("admin: encode input: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	problem, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if err != nil {
		return nil, fmt.Errorf("admin: read answer: %w", err)
	}
	return nil, errorOf(resp.StatusCode, problem)
}

// call sends a request and decodes its answer.
func call[Out any](ctx context.Context, c *Client, method, path string, in any) (Out, error) {
	var out Out
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	body, err := c.send(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return out, fmt.Errorf("admin: read answer: %w", err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		var zero Out
		return zero, fmt.Errorf("admin: decode answer: %w", err)
	}
	return out, nil
}

// path joins the parts of a path, escaping those that are variable: every second one.
func path(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			part = url.PathEscape(part)
		}
		b.WriteString(part)
	}
	return b.String()
}

// query returns path with the members of a filter as its query.
func query(path string, filter any) (string, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return "", fmt.Errorf("admin: encode filter: %w", err)
	}
	members := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		return "", fmt.Errorf("admin: encode filter: %w", err)
	}
	values := url.Values{}
	for name, value := range members {
		values.Set(name, fmt.Sprint(value))
	}
	if len(values) == 0 {
		return path, nil
	}
	return path + "?" + values.Encode(), nil
}

// get sends a GET request with a filter as its query.
func get[Out any](ctx context.Context, c *Client, path string, filter any) (Out, error) {
	target, err := query(path, filter)
	if err != nil {
		var zero Out
		return zero, err
	}
	return call[Out](ctx, c, http.MethodGet, target, nil)
}

// A Page asks for one page of a list.
type Page struct {
	// Cursor is [List.Next] of the previous page, "" for the first.
	Cursor string `json:"cursor,omitzero"`

	// Limit is the most items of a page, 1 to 200; 0 leaves it to the server.
	Limit int `json:"limit,omitzero"`
}

// A List is one page of a list.
type List[T any] struct {
	Items []T `json:"items"`

	// Next is the cursor of the next page, "" on the last.
	Next string `json:"next,omitzero"`
}

// all iterates over the pages of a list from the one that page asks for. It ends after
// an error, which comes with a zero item.
func all[T any](page Page, fetch func(Page) (List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for p := page; ; {
			list, err := fetch(p)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, item := range list.Items {
				if !yield(item, nil) {
					return
				}
			}
			if list.Next == "" {
				return
			}
			p.Cursor = list.Next
		}
	}
}
