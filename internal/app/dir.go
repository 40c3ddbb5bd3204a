package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// EmptyDir returns nil when dir does not exist yet or is an empty folder.
func EmptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look into %s: %w", dir, err)
	case len(entries) > 0:
		return fmt.Errorf("folder %s is not empty; name a new one", dir)
	}
	return nil
}
