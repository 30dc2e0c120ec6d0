package proxy

import (
	"bytes"
	"net/http"
	"slices"
)

// Bounds of the chunked coding (RFC 9112 §7.1).
const (
	maxChunkLine   = 256 // size and extensions
	maxChunkDigits = 15  // of the size, in hexadecimal
)

// relayChunks relays a chunked body and its trailers. Sizes are hexadecimal digits
// and nothing else, every line ends in CRLF, and extensions are dropped. Before it
// waits for more, it flushes: events pass as they come.
func (x *exchange) relayChunks(f *forwarder) error {
	for {
		line, err := x.chunkLine(f)
		if err != nil {
			return err
		}
		size, ok := chunkSize(line)
		switch {
		case !ok:
			return fail(errUpstream, errGarbage)
		case size == 0:
			return x.relayTrailers(f)
		}
		if err := x.relayChunk(f, size); err != nil {
			return err
		}
	}
}

// relayChunk relays one chunk's data and consumes the line end behind it.
func (x *exchange) relayChunk(f *forwarder, left int64) error {
	c := x.c
	for left > 0 {
		if c.r == c.w {
			if err := x.moreStream(f); err != nil {
				return err
			}
		}
		n := min(left, int64(c.w-c.r))
		if err := x.write(c.buf[c.r : c.r+int(n)]); err != nil {
			return err
		}
		c.r += int(n)
		left -= n
	}
	for c.w-c.r < 2 {
		if err := x.moreStream(f); err != nil {
			return err
		}
	}
	if c.buf[c.r] != '\r' || c.buf[c.r+1] != '\n' {
		return fail(errUpstream, errGarbage)
	}
	c.r += 2
	return nil
}

// chunkLine reads the line that starts a chunk, without its end. It is good until the
// next read.
func (x *exchange) chunkLine(f *forwarder) ([]byte, error) {
	c := x.c
	for {
		unread := c.unread()
		if i := bytes.IndexByte(unread, '\n'); i >= 0 {
			if i == 0 || i > maxChunkLine || unread[i-1] != '\r' {
				return nil, fail(errUpstream, errGarbage)
			}
			c.r += i + 1
			return unread[:i-1], nil
		}
		if len(unread) > maxChunkLine {
			return nil, fail(errUpstream, errGarbage)
		}
		if err := x.moreStream(f); err != nil {
			return nil, err
		}
	}
}

// chunkSize reads the size at the start of a chunk's line. Extensions are separated by
// ";" and must hold no control bytes.
func chunkSize(line []byte) (int64, bool) {
	var n int64
	i := 0
	for ; i < len(line) && line[i] != ';' && line[i] != ' ' && line[i] != '\t'; i++ {
		d, ok := hexDigit(line[i])
		if !ok || i >= maxChunkDigits {
			return 0, false
		}
		n = n<<4 | int64(d)
	}
	if i == 0 {
		return 0, false
	}
	extension := bytes.TrimLeft(line[i:], " \t")
	if len(extension) > 0 && extension[0] != ';' || !validValue(string(extension)) {
		return 0, false
	}
	return n, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// moreStream reads more of a body whose length nobody knows, after the client got
// what there is.
func (x *exchange) moreStream(f *forwarder) error {
	x.flush()
	x.enlarge()
	if !x.c.room(len(x.c.buf)) {
		return fail(errUpstream, errGarbage)
	}
	return x.more(f)
}

// relayTrailers reads the trailers behind the last chunk and sends those that pass:
// announced ones as such, others under net/http's prefix for late ones.
func (x *exchange) relayTrailers(f *forwarder) error {
	c, looked := x.c, 0
	for {
		unread := c.unread()
		if len(unread) >= 2 && unread[0] == '\r' && unread[1] == '\n' {
			c.r += 2
			return nil
		}
		if n := headEnd(unread, looked); n > 0 {
			text := string(unread[:n])
			c.r += n
			return x.setTrailers(text)
		}
		looked = len(unread)
		if err := x.moreStream(f); err != nil {
			return err
		}
	}
}

// setTrailers parses a trailer section and hands it to the client's response.
func (x *exchange) setTrailers(text string) error {
	fields, err := parseTrailers(text)
	if err != nil {
		return fail(errUpstream, err)
	}
	x.flushForTrailers()
	header := x.p.w.Header()
	announced := header["Trailer"]
	for _, t := range fields {
		if !trailerPasses(t.name, x.p.replies) {
			continue
		}
		name := t.name
		if !slices.Contains(announced, name) {
			name = http.TrailerPrefix + name
		}
		header[name] = append(header[name], t.value)
	}
	return nil
}

// flushForTrailers commits the response to chunked coding: net/http would otherwise
// state the length of a short body and drop the trailers.
func (x *exchange) flushForTrailers() {
	x.dirty = true
	x.flush()
}
