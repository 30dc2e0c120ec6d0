package activity

import "embed"

//go:embed snippets/*
var snippetFiles embed.FS

// A snippet is how a receiver verifies a message, in one language.
type snippet struct{ ID, Language, Text string }

// snippets are the languages that are shown.
var snippets = []snippet{
	readSnippet("python", "Python", "verify.py"), readSnippet("node", "Node.js", "verify.js"), readSnippet("go", "Go", "verify.go.txt"),
}

func readSnippet(id, language, name string) snippet {
	text, err := snippetFiles.ReadFile("snippets/" + name)
	if err != nil {
		panic(err) // the file is embedded
	}
	return snippet{ID: "snippet-" + id, Language: language, Text: string(text)}
}
