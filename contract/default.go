package contract

import _ "embed"

//go:embed default.yaml
var defaultText []byte

// DefaultName is the source of the contract of [Default].
const DefaultName = "built-in cardea.yaml"

// DefaultText returns the text of a small commented contract: a start for a new
// product, and what `cardea dev` runs when there is no file.
func DefaultText() []byte { return append([]byte(nil), defaultText...) }

// Default returns the contract of [DefaultText].
func Default() *Contract {
	c, err := Load(DefaultName, defaultText)
	if err != nil {
		panic(err) // the text is part of the program
	}
	return c
}
