package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// A File is bytes that never change, with a path to ask for them: a stylesheet, a script, a
// picture. It is safe for concurrent use.
type File struct {
	// Path holds a hash of the content, so that it may be kept for ever: a changed file has
	// another path.
	Path string

	contentType string
	content     []byte
	packed      func() []byte // on demand: commands that serve nothing start sooner
}

// fileTypes are the types of content by the end of a name.
var fileTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// NewFile returns a file below a prefix, by its name, which ends in .css, .js or .svg.
func NewFile(prefix, name string, content []byte) *File {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return &File{
		Path:        prefix + strings.TrimSuffix(name, ext) + "." + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext,
		contentType: fileTypes[ext], content: content, packed: sync.OnceValue(func() []byte { return pack(content) }),
	}
}

// pack returns bytes in gzip's format, as small as it gets.
func pack(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // there is such a level, and a buffer takes everything
	}
	return out.Bytes()
}

// ServeHTTP sends the file, packed to those who take that.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // an SVG opened by itself
	h.Set("Vary", "Accept-Encoding")
	content := f.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		content = f.packed()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the browser is gone, or it is not
	}
}
