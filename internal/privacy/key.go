package privacy

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The keys' names in the data folder.
const (
	keyFile   = "pseudonym.key"
	vaultFile = "vault.key"
)

// LoadKey reads the key of pseudonyms kept in dir, and makes one of 32 random bytes when
// there is none. The file is readable by its owner only; one that others may read is
// refused, with the remedy. The folder must exist.
func LoadKey(dir string) ([]byte, error) { return loadKey(dir, keyFile) }

// LoadVaultKey does the same with the key of the vault of names.
func LoadVaultKey(dir string) ([]byte, error) { return loadKey(dir, vaultFile) }

func loadKey(dir, file string) ([]byte, error) {
	path := filepath.Join(dir, file)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make %s: %w", file, err)
	}
	if err := writeKey(dir, path, raw); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("keep %s: %w", file, err)
	}
	return readKey(path) // what stands in the file counts, whoever was first
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look for the key %s: %w", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key %s may be read by others (mode %04o); take their rights away with: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key %s: %w", path, err)
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) < MinKey {
		return nil, fmt.Errorf("the key %s is damaged; put the copy you kept back, or remove it: then all pseudonyms change, or no name of before can be led back", path)
	}
	return key, nil
}

// writeKey puts the whole key in place at once, and never over another.
func writeKey(dir, path string, key []byte) error {
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone or harmless
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// HasKey reports whether dir holds a key already.
func HasKey(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, keyFile))
	return err == nil
}
