package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets thirdparty/*.js thirdparty/*.css
var assetFiles embed.FS

// A file is an asset as it is sent.
type file struct {
	path, contentType string
	content           []byte
	zipped            func() []byte // on demand: commands that serve nothing start sooner
}

// assets holds every asset by its name, and by its path, which has a hash of the content:
// it may be kept for ever, since a changed asset has another path.
var assetsByName, assetsByPath = func() (byName, byPath map[string]*file) {
	byName, byPath = map[string]*file{}, map[string]*file{}
	for _, dir := range []string{"assets", "thirdparty"} {
		entries, err := fs.ReadDir(assetFiles, dir)
		if err != nil {
			panic(err)
		}
		for _, entry := range entries {
			content, err := assetFiles.ReadFile(dir + "/" + entry.Name())
			if err != nil {
				panic(err)
			}
			f := newFile(entry.Name(), content)
			byName[entry.Name()], byPath[f.path] = f, f
		}
	}
	return byName, byPath
}()

func newFile(name string, content []byte) *file {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	return &file{
		path:        assetPrefix + strings.TrimSuffix(name, ext) + "." + base64.RawURLEncoding.EncodeToString(sum[:9]) + ext,
		contentType: types[ext], content: content, zipped: sync.OnceValue(func() []byte { return compress(content) }),
	}
}

// assetPath returns the path of an asset; a name that is none is a defect of the program.
func assetPath(name string) string { return assetsByName[name].path }

// asset returns the handler of an asset.
func asset(path, method string) (http.Handler, bool) {
	f := assetsByPath[path]
	if f == nil || method != http.MethodGet && method != http.MethodHead {
		return nil, false
	}
	return http.HandlerFunc(f.serve), true
}

// serve serves bytes that never change.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // an SVG opened by itself
	h.Set("Vary", "Accept-Encoding")
	content := f.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		content = f.zipped()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the browser is gone, or it is not
	}
}
