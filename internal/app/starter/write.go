package starter

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vigil/internal/app"
	"vigil/internal/config"
)

// Written are the files that were made.
type Written struct {
	// Config is the configuration, Env the environment file, empty where none is needed.
	Config, Env string
	// Mappings are mapping files of logs that no format knows.
	Mappings []string
}

// EnvPath is where the secrets of a configuration stand.
func EnvPath(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".env" }

// ExistsError is of a file that is there already.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	if strings.HasSuffix(e.Path, ".env") {
		return fmt.Sprintf("%s is there already; --force keeps the secrets in it and adds what is missing, --out names another", e.Path)
	}
	return fmt.Sprintf("%s is there already; --force replaces it, --out names another", e.Path)
}

// Free says whether a configuration can be written to path without replacing anything.
func Free(path string) error {
	if err := nameable(path); err != nil {
		return err
	}
	for _, p := range []string{path, EnvPath(path)} {
		if _, err := os.Lstat(p); err == nil {
			return &ExistsError{p}
		}
	}
	return nil
}

// nameable says why a path can't be a configuration's, whether or not one is replaced.
func nameable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder; name the file", path)
	}
	if EnvPath(path) == path {
		return fmt.Errorf("%s is the name of an environment file; choose one that ends in .yaml", path)
	}
	return nil
}

// file is one that is to be written.
type file struct {
	path, text string
	mode       fs.FileMode
}

// Write makes the configuration at path and what goes with it. With force it replaces
// files that are there, but for the secrets among them.
func Write(path string, c *Choices, force bool) (w Written, err error) {
	if err := c.Check(); err != nil {
		return w, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return w, fmt.Errorf("find %s: %w", path, err)
	}
	if err := nameable(path); err != nil {
		return w, err
	}
	env, before, token := EnvPath(path), "", ""
	if c.secrets() {
		if token, before, err = c.token(env, force); err != nil {
			return w, err
		}
	}
	if err := c.validate(path, env, token); err != nil {
		return w, err
	}
	files, err := c.files(path, env, before, token)
	if err != nil {
		return w, err
	}
	if err := put(files, force); err != nil {
		return w, err
	}
	w.Config = path
	if c.secrets() {
		w.Env = env
	}
	for i := range c.Sources {
		if c.Sources[i].MappingFile != "" {
			w.Mappings = append(w.Mappings, filepath.Join(filepath.Dir(path), mappingName(&c.Sources[i])))
		}
	}
	return w, nil
}

// token is the one that senders have from an environment file that is there, else a new
// one; before is that file's text.
func (c *Choices) token(env string, force bool) (token, before string, err error) {
	if force {
		text, err := os.ReadFile(env)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("read the secrets that are there: %w", err)
		}
		before = string(text)
	}
	if token, ok := valueOf(before, pushVariable); ok {
		return token, before, nil
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", "", fmt.Errorf("make a token: %w", err)
	}
	return hex.EncodeToString(random), before, nil
}

// validate looks at the configuration as vigil check does. The secrets are not in our
// environment yet and mapping files not in place: the text that is looked at has the
// first in it and names the second elsewhere, and is the same otherwise.
func (c *Choices) validate(path, env, token string) error {
	dir, err := os.MkdirTemp("", "vigil-init-*")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	for i := range c.Sources {
		if s := &c.Sources[i]; s.MappingFile != "" {
			if err := os.WriteFile(filepath.Join(dir, mappingName(s)), []byte(s.MappingFile), 0o600); err != nil {
				return fmt.Errorf("try the mapping of %s: %w", s.Name, err)
			}
		}
	}
	text, err := c.text(path, filepath.Base(env), dir, func(variable string) string {
		if variable == pushVariable {
			return fmt.Sprintf("%q", token)
		}
		return "xoxb-not-known-yet"
	})
	if err != nil {
		return err
	}
	if _, err := config.Parse(path, text, app.Known()); err != nil {
		return fmt.Errorf("what would be written is not good, so nothing was: %w", err)
	}
	return nil
}

// files are all that is to be written, the configuration last.
func (c *Choices) files(path, env, before, token string) (files []file, err error) {
	name := ""
	for i := range c.Sources {
		if s := &c.Sources[i]; s.MappingFile != "" {
			files = append(files, file{filepath.Join(filepath.Dir(path), mappingName(s)), s.MappingFile, 0o644})
		}
	}
	if c.secrets() {
		name = filepath.Base(env)
		files = append(files, file{env, c.environment(path, name, before, token), 0o600})
	}
	text, err := c.text(path, name, filepath.Dir(path), func(variable string) string { return "env:" + variable })
	if err != nil {
		return nil, err
	}
	return append(files, file{path, string(text), 0o644}), nil
}

// put writes all of the files, or none that was not there before.
func put(files []file, force bool) (err error) {
	if !force {
		for _, f := range files {
			if _, err := os.Lstat(f.path); err == nil {
				return &ExistsError{f.path}
			}
		}
	}
	var made []string
	defer func() {
		if err != nil && !force {
			for _, path := range made {
				_ = os.Remove(path) // the first error counts
			}
		}
	}()
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return fmt.Errorf("make the folder: %w", err)
		}
		if err := f.put(force); err != nil {
			return err
		}
		made = append(made, f.path)
	}
	return nil
}

// put writes the file beside its place and then puts it there whole.
func (f *file) put(force bool) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(f.path), ".vigil-init-*") // made for its owner alone
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when it was moved
	_, err = tmp.WriteString(f.text)
	if err == nil {
		err = tmp.Chmod(f.mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if !force {
		// A link takes no other file's place, even one that was made just now. Where the
		// file system has no links the look before must do.
		if err = os.Link(tmp.Name(), f.path); errors.Is(err, fs.ErrExist) {
			return &ExistsError{f.path}
		} else if err == nil {
			return nil
		}
	}
	if err := os.Rename(tmp.Name(), f.path); err != nil {
		return fmt.Errorf("put %s in place: %w", f.path, err)
	}
	return nil
}
