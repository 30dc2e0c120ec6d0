// Package strictyaml reads YAML that anybody may have written into nodes that are safe
// to walk, and reports what is wrong with a file the way a good compiler does: every
// problem at once, each with its place, the line, a caret and how to mend it.
//
// It takes a plain part of YAML: one document of bounded size, depth and number of
// values; no anchors, aliases, merge keys or tags; no name twice in a mapping; no
// character that a reader of the file cannot see. What the values mean is up to its
// users: see package contract.
package strictyaml
