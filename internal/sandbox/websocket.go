package sandbox

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxFrame is the largest WebSocket frame that is echoed, in bytes.
const maxFrame = 64 << 10

// webSocketKey is the constant of the opening handshake, RFC 6455 §1.3.
const webSocketKey = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var errFrame = errors.New("sandbox: unacceptable frame")

// helpWebSocket accepts a WebSocket and echoes every frame of it (RFC 6455). It knows
// no extensions and keeps fragments as they are.
func (s *Sandbox) helpWebSocket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		s.refuse(w, r, http.StatusUpgradeRequired, "this is a WebSocket")
		return
	}
	sum := sha1.Sum([]byte(key + webSocketKey))
	h := w.Header()
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(sum[:]))
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // HTTP/2 has no such upgrade, and the status is already sent
	}
	defer conn.Close()
	for {
		if echoFrame(conn, rw) != nil {
			return
		}
	}
}

// echoFrame reads one frame of a client and sends it back; pings become pongs, and
// after a close there is no further frame.
func echoFrame(conn net.Conn, rw *bufio.ReadWriter) error {
	if err := conn.SetDeadline(time.Now().Add(maxDelay)); err != nil {
		return err
	}
	first, payload, err := readFrame(rw.Reader)
	if err != nil {
		return err
	}
	const opClose, opPing, opPong = 8, 9, 10
	opcode := first & 0x0f
	if opcode == opPing {
		first = first&0xf0 | opPong
	}
	if err := writeFrame(rw.Writer, first, payload); err != nil {
		return err
	}
	if opcode == opClose {
		return io.EOF
	}
	return nil
}

// readFrame reads a masked frame, RFC 6455 §5.2.
func readFrame(r *bufio.Reader) (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	switch size {
	case 126:
		var n uint16
		err = binary.Read(r, binary.BigEndian, &n)
		size = uint64(n)
	case 127:
		err = binary.Read(r, binary.BigEndian, &size)
	}
	if err != nil {
		return 0, nil, err
	}
	if size > maxFrame || head[1]&0x80 == 0 {
		return 0, nil, errFrame
	}
	frame := make([]byte, 4+size)
	if _, err = io.ReadFull(r, frame); err != nil {
		return 0, nil, err
	}
	mask, payload := frame[:4], frame[4:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0], payload, nil
}

// writeFrame writes an unmasked frame.
func writeFrame(w *bufio.Writer, first byte, payload []byte) error {
	head := []byte{first, byte(len(payload))}
	if len(payload) > 125 {
		head[1] = 126
		head = binary.BigEndian.AppendUint16(head, uint16(len(payload)))
		if len(payload) > 0xffff {
			head = append(head[:2], 0, 0, 0, 0, 0, 0, 0, 0)
			head[1] = 127
			binary.BigEndian.PutUint64(head[2:], uint64(len(payload)))
		}
	}
	if _, err := w.Write(append(head, payload...)); err != nil {
		return err
	}
	return w.Flush()
}
