package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// relay sends the response to the client: head, body, trailers. From the first byte
// on there is no other answer: an upstream that fails now takes the client's
// connection with it, so that half a body never passes for a whole one.
func (x *exchange) relay(f *forwarder) error {
	p, h := x.p, &x.head
	header := p.w.Header()
	h.apply(header, p.replies)
	p.decorate(header)
	bodyless := h.bodyless(p.r.Method)
	if h.chunked && !bodyless {
		announce(header, h.announced, p.replies)
	}
	p.started, p.status = true, h.status
	x.guarded = x.now
	f.patience(p.w, x.now)
	p.w.WriteHeader(h.status)
	if bodyless {
		x.finish()
		return nil
	}
	x.dirty = true
	var err error
	switch {
	case h.chunked:
		err = x.relayChunks(f)
	case h.length >= 0:
		err = x.relayLength(f)
	default:
		h.keepAlive, h.named = false, nil // the end of the connection is the end of the body
		err = x.relayRest(f)
	}
	if err != nil {
		return err
	}
	x.finish()
	return nil
}

// relayLength relays a body of stated length. Its end is known, so nothing needs to
// be flushed on the way.
func (x *exchange) relayLength(f *forwarder) error {
	c, left := x.c, x.head.length
	for {
		if n := min(left, int64(c.w-c.r)); n > 0 {
			if err := x.write(c.buf[c.r : c.r+int(n)]); err != nil {
				return err
			}
			c.r += int(n)
			left -= n
		}
		if left == 0 {
			return nil
		}
		x.enlarge()
		if err := x.more(f); err != nil {
			return err
		}
	}
}

// relayRest relays a body that ends with the connection.
func (x *exchange) relayRest(f *forwarder) error {
	for {
		if err := x.write(x.c.unread()); err != nil {
			return err
		}
		x.c.r = x.c.w
		x.flush()
		x.enlarge()
		if err := x.more(f); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// more reads more of the body. A stream may be silent for as long as the forwarder
// allows, counted anew from each read; a client may take as long to read it.
func (x *exchange) more(f *forwarder) error {
	x.c.room(len(x.c.buf))
	x.now = time.Now()
	x.end = x.now.Add(f.idle)
	if x.stop == nil {
		x.c.arm(x.now, x.end)
	} else {
		x.c.setDeadline(x.end)
	}
	if x.now.Sub(x.guarded) > f.idle/8 {
		x.guarded = x.now
		f.patience(x.p.w, x.now)
	}
	return x.fill()
}

// write writes a piece of the body to the client.
func (x *exchange) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := x.p.w.Write(b)
	x.p.written += int64(n)
	x.dirty = true
	if err != nil {
		return fail(errGone, err)
	}
	return nil
}

// flush sends what is buffered for the client, before a wait of unknown length.
func (x *exchange) flush() {
	if !x.dirty {
		return
	}
	x.dirty = false
	if fl, ok := x.p.w.(http.Flusher); ok {
		fl.Flush()
	}
}

// scratchSize is the size of the buffers that large bodies pass through.
const scratchSize = 32 << 10

var scratches = sync.Pool{New: func() any { return new([scratchSize]byte) }}

// enlarge gives the connection a large buffer for the rest of the body, once its own
// turned out to be too small.
func (x *exchange) enlarge() {
	if x.scratch != nil || len(x.c.buf) > readBuffer {
		return
	}
	x.scratch = scratches.Get().(*[scratchSize]byte)[:]
	x.small = x.c.buf
	x.c.w = copy(x.scratch, x.c.unread())
	x.c.r, x.c.buf = 0, x.scratch
}

// announce declares the trailers that will follow, as far as they pass.
func announce(header http.Header, announced []string, replies *nameSet) {
	for _, list := range announced {
		for name := range strings.SplitSeq(list, ",") {
			name, ok := canonical(strings.Trim(name, " \t"))
			if ok && trailerPasses(name, replies) {
				header["Trailer"] = append(header["Trailer"], name)
			}
		}
	}
}

// trailerPasses reports whether a field may arrive as a trailer: never one that
// frames the message or that Cardea itself may have set.
func trailerPasses(name string, replies *nameSet) bool {
	return replies.reply(name) && name != "Content-Length" && name != "Host"
}
