package web

import (
	"io/fs"
	"strings"
)

// An Area is a group of pages that share templates.
type Area struct {
	Name      string // "keys"
	Templates *Templates
	Routes    []Route
}

// A Route is one page or one form of an area.
type Route struct {
	// Pattern is a method, GET or POST, and a path below the portal, as
	// [net/http.ServeMux] understands it: "GET /keys/{id}". GET answers HEAD too, and
	// changes nothing.
	Pattern string

	// Page is the name of the page in the contract and in the menu: "keys".
	Page string

	// Console says that it is a page of the operator's console, below /dashboard/console.
	// Others are pages of one organization.
	Console bool

	// Serve answers.
	Serve func(*Visit)
}

// The places of the dashboard.
const (
	// Prefix is where a member's pages are.
	Prefix = "/dashboard"

	// ConsolePrefix is where an operator's are, asPrefix where an operator sees the pages
	// of one organization.
	ConsolePrefix = Prefix + "/console"
	asPrefix      = Prefix + "/as/{organization}"

	assetPrefix = Prefix + "/assets/"
)

// patterns returns the patterns of a route on the mux.
func (r Route) patterns() []string {
	method, path, _ := strings.Cut(r.Pattern, " ")
	path = strings.TrimSuffix(path, "/")
	if r.Console {
		return []string{method + " " + ConsolePrefix + path}
	}
	return []string{method + " " + Prefix + path, method + " " + asPrefix + path}
}

// sub returns a directory of embedded files; a wrong name is a defect of the program.
func sub(files fs.FS, dir string) fs.FS {
	inner, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	return inner
}
