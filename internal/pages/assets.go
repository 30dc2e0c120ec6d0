package pages

import (
	_ "embed" // for the assets
	"net/http"
)

//go:embed assets/cardea.css
var style []byte

//go:embed assets/passkey.js
var script []byte

//go:embed assets/icon.svg
var icon []byte

// AssetPrefix begins the path of every asset.
const AssetPrefix = "/assets/"

// The assets go with every first page.
var (
	styleFile  = NewFile(AssetPrefix, "cardea.css", style)
	scriptFile = NewFile(AssetPrefix, "passkey.js", script)
	iconFile   = NewFile(AssetPrefix, "icon.svg", icon)
)

// The paths of the assets.
var (
	StylePath  = styleFile.Path
	ScriptPath = scriptFile.Path
	IconPath   = iconFile.Path
)

// assets are the files by their paths.
var assets = map[string]*File{StylePath: styleFile, ScriptPath: scriptFile, IconPath: iconFile}

// Asset returns the handler of an asset, false when there is none at this path.
func Asset(path string) (http.Handler, bool) {
	f, ok := assets[path]
	return f, ok
}
