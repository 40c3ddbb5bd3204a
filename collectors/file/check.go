package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vigil/collectors/formats"
)

// Check looks whether the files can be followed: that some are there, that they can be
// read, and that their format is known. It keeps nothing. The error says what is
// missing, with the remedy.
func (t *Tail) Check(ctx context.Context) error {
	found := 0
	var problems []error
	for _, g := range t.globs {
		paths, err := glob(g)
		if err != nil {
			return fmt.Errorf("look for %s: %w", g, err)
		}
		if len(paths) == 0 {
			problems = append(problems, noneMatches(g))
		}
		for _, path := range paths {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			found++
			if found > maxTailLogs {
				return fmt.Errorf("more than %d files match: split the source, or name a narrower pattern", maxTailLogs)
			}
			if err := t.checkFile(path); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

// noneMatches says why nothing matches: a folder on the way that is not there, or can't
// be looked into.
func noneMatches(g string) error {
	dir := filepath.Dir(g)
	if i := strings.IndexAny(g, "*?["); i >= 0 {
		dir = filepath.Dir(g[:i] + "x")
	}
	if _, err := os.ReadDir(dir); err != nil {
		return fmt.Errorf("no file matches %s: %w%s", g, err, remedy(dir, err))
	}
	return fmt.Errorf("no file matches %s: set the path right, or wait for the first to be written", g)
}

func remedy(path string, err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Sprintf("; let vigil's user read it, with: setfacl -R -m u:$(id -un):rX %s", path)
	}
	return ""
}

func (t *Tail) checkFile(path string) error {
	text, err := startOf(path, formats.MaxSample)
	if err != nil {
		return fmt.Errorf("%s can't be read: %w%s", path, err, remedy(path, err))
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil // nothing is in it yet
	}
	if t.cfg.Format != "" {
		if sure := t.cfg.Formats[0].Detect(text); sure == 0 {
			return fmt.Errorf("%s does not look like %s: leave format out to find it by looking, or see what vigil explain says of it", path, t.cfg.Format)
		}
		return nil
	}
	if _, _, err := formats.Choose(t.cfg.Formats, text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
