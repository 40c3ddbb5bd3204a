package file

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"vigil/collectors/formats"
	"vigil/collectors/text"
)

// Family is one log as it lies in files: the file that is written and its rotations.
type Family struct {
	// Path is the log's name without what rotation and packing add; Files are its
	// pieces, sorted.
	Path  string
	Files []string
	// Format is what it is, and Sure how sure that is, 0 to 1; nil when no format fits
	// or it is no text, and Reason says so.
	Format formats.Format
	Sure   float64
	Reason string
	// Text is the start of the largest piece: whole lines, at most so many bytes as
	// were asked for.
	Text []byte
}

// maxFamilyFiles bounds the files that Families looks at.
const maxFamilyFiles = 10_000

// Families looks at files, folders or globs and tells which logs they are; most bounds
// the text of each, in bytes. The error says what can't be opened at all.
func Families(args []string, list []formats.Format, most int) ([]Family, error) {
	paths, err := expand(args)
	if err != nil {
		return nil, err
	}
	if len(paths) > maxFamilyFiles {
		return nil, fmt.Errorf("there are %d files, at most %d are looked at: name a folder further down", len(paths), maxFamilyFiles)
	}
	byName := map[string]*Family{}
	var names []string
	for _, p := range paths {
		name := familyOf(p)
		f := byName[name]
		if f == nil {
			f = &Family{Path: name}
			byName[name] = f
			names = append(names, name)
		}
		f.Files = append(f.Files, p)
	}
	slices.Sort(names)
	out := make([]Family, 0, len(names))
	for _, name := range names {
		f := byName[name]
		slices.Sort(f.Files)
		f.look(list, most)
		out = append(out, *f)
	}
	return out, nil
}

// look reads the start of the largest piece and finds what it is.
func (f *Family) look(list []formats.Format, most int) {
	for _, p := range f.Files {
		text, err := startOf(p, most)
		if err != nil {
			f.Reason = err.Error()
			continue
		}
		if len(text) > len(f.Text) {
			f.Text = text
		}
	}
	if strings.TrimSpace(string(f.Text)) == "" {
		if f.Reason == "" {
			f.Reason = "it is empty"
		}
		return
	}
	f.Reason = ""
	var err error
	if f.Format, f.Sure, err = formats.Choose(list, f.Text[:min(len(f.Text), formats.MaxSample)]); err != nil {
		f.Format, f.Reason = nil, err.Error()
	}
}

func startOf(path string, most int) ([]byte, error) {
	in, err := openInput(path, new(atomic.Int64))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	in.SkipHole()
	if err := text.RefuseBinary(in.Sample()); err != nil {
		return nil, err
	}
	text := make([]byte, most)
	n, err := io.ReadFull(in.Text, text)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	text = text[:n]
	if n == most {
		if i := strings.LastIndexByte(string(text), '\n'); i > 0 {
			text = text[:i+1]
		}
	}
	return text, nil
}
