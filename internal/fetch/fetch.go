package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Bounds of a request whose [Options] name none.
const (
	DefaultMaxBytes = 256 << 10       // of the answer's body
	DefaultTimeout  = 5 * time.Second // from the first byte of DNS to the last of the body
)

// maxHeaderBytes bounds the answer's header section.
const maxHeaderBytes = 32 << 10

// Errors of a request. Others are the network's.
var (
	// ErrURL: not an absolute https URL without user, password and fragment.
	ErrURL = errors.New("fetch: not a URL that may be fetched")
	// ErrAddress: the name resolved to an address that no request may go to.
	ErrAddress = errors.New("fetch: the address is not a public one")
	// ErrTooLarge: the answer is longer than allowed.
	ErrTooLarge = errors.New("fetch: the answer is too large")
	// ErrEncoding: the answer is compressed, which was not asked for.
	ErrEncoding = errors.New("fetch: the answer is compressed")
)

// Config is what a [Client] needs. Its zero value is the safe one.
type Config struct {
	// AllowPrivate lets every request reach this machine and private networks, as
	// Options.AllowPrivate does for one. For development.
	AllowPrivate bool
	// Roots are the certificate authorities to believe; nil means the system's.
	Roots *x509.CertPool
	// Resolver looks up names; nil means the system's.
	Resolver *net.Resolver
}

// Options bound one request. The zero value is the strictest.
type Options struct {
	MaxBytes     int64         // of the body; 0 means DefaultMaxBytes
	Timeout      time.Duration // 0 means DefaultTimeout
	AllowPrivate bool          // this machine and private networks may be reached
	AllowHTTP    bool          // http URLs may be fetched
	Accept       string        // the Accept header; "" means none
	NoBody       bool          // the answer's body does not matter: it is not read, whatever it is
}

// A Response is a complete answer. A redirect is one too: its Status is 3xx.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	URL    string // as it was asked for
}

// A Client makes requests to addresses that others chose. It is safe for concurrent
// use, and keeps connections open between requests.
type Client struct {
	// Two pools: a connection to a private address that one caller allowed is never
	// used for another who did not.
	public, private *http.Transport
}

// New returns a Client.
func New(c Config) *Client {
	return &Client{public: newTransport(c, c.AllowPrivate), private: newTransport(c, true)}
}

// newTransport returns a pool of connections.
func newTransport(c Config, allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{
		Timeout:  DefaultTimeout,
		Resolver: c.Resolver,
		Control:  control(allowPrivate),
	}
	return &http.Transport{
		Proxy:                  nil, // the environment has no say
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
		TLSHandshakeTimeout:    DefaultTimeout,
		DisableCompression:     true, // no answer is larger than what was received
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    16,
		MaxConnsPerHost:        64,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// HTTP returns an HTTP client for libraries that ask for one. Its requests have the
// same bounds as those of Get and Post; a body that is too large ends with ErrTooLarge.
func (c *Client) HTTP(o Options) *http.Client {
	pool := c.public
	if o.AllowPrivate {
		pool = c.private
	}
	o = o.filled()
	return &http.Client{
		Transport:     &bounded{pool: pool, options: o},
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// filled returns o with the defaults in place of what it leaves open.
func (o Options) filled() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	return o
}

// Get asks for a URL.
func (c *Client) Get(ctx context.Context, url string, o Options) (Response, error) {
	return c.do(ctx, http.MethodGet, url, nil, nil, o)
}

// Post sends a body. The header's names are added to Cardea's own; it may be nil.
func (c *Client) Post(ctx context.Context, url, contentType string, body []byte, header http.Header, o Options) (Response, error) {
	h := http.Header{}
	for name, values := range header {
		h[name] = values
	}
	h.Set("Content-Type", contentType)
	return c.do(ctx, http.MethodPost, url, body, h, o)
}

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() {
	c.public.CloseIdleConnections()
	c.private.CloseIdleConnections()
}

// Check reports whether a URL has the form that may be fetched: absolute, https (or
// http, when allowed), with a host, without user, password and fragment. It looks
// nothing up. The error is ErrURL.
func Check(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	if err != nil || !fetchable(u, allowHTTP) {
		return ErrURL
	}
	return nil
}

// fetchable is Check on a parsed URL.
func fetchable(u *url.URL, allowHTTP bool) bool {
	return (u.Scheme == "https" || u.Scheme == "http" && allowHTTP) &&
		u.Opaque == "" && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

// do makes a request and reads its answer.
func (c *Client) do(ctx context.Context, method, url string, body []byte, header http.Header, o Options) (Response, error) {
	if err := Check(url, o.AllowHTTP); err != nil {
		return Response{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return Response{}, ErrURL
	}
	if header != nil {
		r.Header = header
	}
	answer, err := c.HTTP(o).Do(r)
	if err != nil {
		return Response{}, withoutURL(err)
	}
	defer answer.Body.Close()
	if o.NoBody {
		return Response{Status: answer.StatusCode, Header: answer.Header, URL: url}, nil
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return Response{}, withoutURL(err)
	}
	return Response{Status: answer.StatusCode, Header: answer.Header, Body: text, URL: url}, nil
}

// withoutURL returns the cause of an error of net/http, which quotes the URL.
func withoutURL(err error) error {
	if quoted, ok := errors.AsType[*url.Error](err); ok {
		return quoted.Err
	}
	return err
}
