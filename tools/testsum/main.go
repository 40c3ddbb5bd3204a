// Command testsum reads the output of "go test -json" from standard input and
// writes what a person wants of it: a line per package, each failure in full,
// each skipped test with its reason, and last the line
//
//	N passed, N failed, N skipped
//
// It exits 1 when anything failed, when a package could not be built, when the
// input breaks off, and when not a single test ran. Tests that have subtests
// are counted by their subtests.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	file := flag.String("o", "", "also write the last line to this file")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, *file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// run copies the summary of in to out, and tells whether all is well.
func run(in io.Reader, out io.Writer, file string) (bool, error) {
	s := newSummary(out)
	err := s.read(in)
	line, ok := s.close()
	if file != "" {
		if werr := os.WriteFile(file, []byte(line+"\n"), 0o644); werr != nil && err == nil {
			err = fmt.Errorf("write summary: %w", werr)
		}
	}
	return ok && err == nil, err
}
