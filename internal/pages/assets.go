package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // for the assets
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

//go:embed assets/cardea.css
var style []byte

//go:embed assets/passkey.js
var script []byte

//go:embed assets/icon.svg
var icon []byte

// AssetPrefix begins the path of every asset.
const AssetPrefix = "/assets/"

// The paths of the assets. Each holds a hash of its content, so that it may be kept for
// ever: a changed asset has another path.
var (
	StylePath  = assetPath("cardea", style, ".css")
	ScriptPath = assetPath("passkey", script, ".js")
	IconPath   = assetPath("icon", icon, ".svg")
)

func assetPath(name string, content []byte, suffix string) string {
	sum := sha256.Sum256(content)
	return AssetPrefix + name + "." + base64.RawURLEncoding.EncodeToString(sum[:9]) + suffix
}

// assets are the files by their paths, and packed: they go with every first page.
var assets = map[string]asset{
	StylePath:  {style, pack(style), "text/css; charset=utf-8"},
	ScriptPath: {script, pack(script), "text/javascript; charset=utf-8"},
	IconPath:   {icon, pack(icon), "image/svg+xml"},
}

// An asset is bytes that never change.
type asset struct {
	content, packed []byte
	contentType     string
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

// Asset returns the handler of an asset, false when there is none at this path.
func Asset(path string) (http.Handler, bool) {
	a, ok := assets[path]
	return a, ok
}

// ServeHTTP sends the asset, packed to those who take that.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // an SVG opened by itself
	h.Set("Vary", "Accept-Encoding")
	content := a.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		content = a.packed
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the browser is gone, or it is not
	}
}
