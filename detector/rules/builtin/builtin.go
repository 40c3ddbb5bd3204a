// Package builtin holds the files of the rules that come with the program, each of
// which is also an example of how a rule is written.
package builtin

import (
	"embed"
	"fmt"
)

//go:embed *.yaml
var files embed.FS

// File is one rule's file.
type File struct {
	Name string
	Text []byte
}

// Files returns all, sorted by name.
func Files() ([]File, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	var out []File
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read rule: %w", err)
		}
		out = append(out, File{"builtin/" + e.Name(), text})
	}
	return out, nil
}
