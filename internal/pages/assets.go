package pages

import (
	"crypto/sha256"
	_ "embed" // for the assets
	"encoding/base64"
	"net/http"
	"strconv"
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

// Asset returns the handler of an asset, false when there is none at this path.
func Asset(path string) (http.Handler, bool) {
	switch path {
	case StylePath:
		return asset(style, "text/css; charset=utf-8"), true
	case ScriptPath:
		return asset(script, "text/javascript; charset=utf-8"), true
	case IconPath:
		return asset(icon, "image/svg+xml"), true
	}
	return nil, false
}

// asset serves bytes that never change.
func asset(content []byte, contentType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(content)))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // an SVG opened by itself
		if r.Method != http.MethodHead {
			_, _ = w.Write(content) // the browser is gone, or it is not
		}
	})
}
