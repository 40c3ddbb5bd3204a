package feeds

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigil"
)

var errNoFile = errors.New("there is no file")

// list finds the files of globs, and says by size and time whether they are as they
// were.
func list(globs []string) (paths []string, stamps string, latest time.Time, err error) {
	for _, g := range globs {
		found, err := filepath.Glob(g)
		if err != nil {
			return nil, "", latest, fmt.Errorf("pattern %q is no file pattern", g)
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) == 0 {
		return nil, "", latest, fmt.Errorf("%w %s", errNoFile, strings.Join(globs, ", "))
	}
	if len(paths) > maxFiles {
		return nil, "", latest, fmt.Errorf("there are %d files, at most %d are read", len(paths), maxFiles)
	}
	var b strings.Builder
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, "", latest, fmt.Errorf("look at feed: %w", err)
		}
		fmt.Fprintf(&b, "%s %d %d\n", p, info.Size(), info.ModTime().UnixNano())
		if info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return paths, b.String(), latest, nil
}

// ReadFiles reads the files of globs as one feed. The error is an *Error where a text
// can't be used.
func ReadFiles(spec Spec, globs []string) (*Reading, error) {
	paths, _, _, err := list(globs)
	if err != nil {
		return nil, err
	}
	r, _, err := readFiles(spec, paths)
	return r, err
}

func readFiles(spec Spec, paths []string) (*Reading, uint64, error) {
	all := &Reading{Facts: vigil.Facts{Feed: spec.Name, Kind: spec.Kind}}
	digest := fnv.New64a()
	for _, p := range paths {
		text, err := readBounded(p)
		if err != nil {
			return nil, 0, err
		}
		digest.Write(text)
		r, err := Read(spec, p, text)
		if err != nil {
			return nil, 0, err
		}
		all.Records += r.Records
		all.Aside += r.Aside
		all.Doubled += r.Doubled
		all.Problems = append(all.Problems, r.Problems[:min(len(r.Problems), maxProblems-min(maxProblems, len(all.Problems)))]...)
		for _, rec := range records(&r.Facts) {
			put(&all.Facts, rec)
		}
	}
	return all, digest.Sum64(), nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open feed: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	return text, nil
}
