package fetch

import (
	"io"
	"net/http"
)

// bounded is a pool of connections whose requests and answers keep to the options.
type bounded struct {
	pool    *http.Transport
	options Options
}

// RoundTrip implements [http.RoundTripper].
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !fetchable(r.URL, b.options.AllowHTTP) {
		return nil, ErrURL
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "Cardea")
	if b.options.Accept != "" {
		r.Header.Set("Accept", b.options.Accept)
	}
	answer, err := b.pool.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if b.options.NoBody {
		return answer, nil
	}
	if err := b.admit(answer); err != nil {
		_ = answer.Body.Close() // nothing of it is of use
		return nil, err
	}
	answer.Body = &body{from: answer.Body, left: b.options.MaxBytes}
	return answer, nil
}

// admit refuses an answer that cannot be read within its bounds.
func (b *bounded) admit(answer *http.Response) error {
	if e := answer.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return ErrEncoding
	}
	if answer.ContentLength > b.options.MaxBytes {
		return ErrTooLarge
	}
	return nil
}

// body is an answer's body that ends with ErrTooLarge when it is longer than allowed.
type body struct {
	from io.ReadCloser
	left int64
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// Close implements [io.Closer].
func (b *body) Close() error { return b.from.Close() }
