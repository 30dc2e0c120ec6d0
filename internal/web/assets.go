package web

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/cardea-dev/cardea/internal/pages"
)

//go:embed assets thirdparty/*.js thirdparty/*.css
var assetFiles embed.FS

// assets holds every asset by its name and by its path.
var assetsByName, assetsByPath = func() (byName, byPath map[string]*pages.File) {
	byName, byPath = map[string]*pages.File{}, map[string]*pages.File{}
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
			f := pages.NewFile(assetPrefix, entry.Name(), content)
			byName[entry.Name()], byPath[f.Path] = f, f
		}
	}
	return byName, byPath
}()

// assetPath returns the path of an asset; a name that is none is a defect of the program.
func assetPath(name string) string { return assetsByName[name].Path }

// asset returns the handler of an asset.
func asset(path, method string) (http.Handler, bool) {
	f := assetsByPath[path]
	if f == nil || method != http.MethodGet && method != http.MethodHead {
		return nil, false
	}
	return f, true
}
