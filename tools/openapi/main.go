// Openapi writes the description of the HTTP API: its endpoints and types are those of
// internal/api/rest, and its words the comments in their source.
//
//	go run vigil/tools/openapi -o internal/api/rest/openapi.json
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "", "the file to write (default: standard output)")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	top, err := topOf()
	if err != nil {
		return err
	}
	text, err := Make(top)
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(out, text, 0o644)
}
