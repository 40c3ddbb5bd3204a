package honey

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vigil"
)

// FileName is the register's name in the data folder.
const FileName = "honey.jsonl"

// maxLine bounds a line of the register.
const maxLine = 1 << 16

// Register is the list of the records that were planted: a feed of the kind "honey", one
// JSON object a line. It holds their identifiers as the store knows them; they name
// nobody.
type Register struct {
	path    string
	Records []vigil.Honey
}

// Open reads a register. One that does not exist yet is empty.
func Open(path string) (*Register, error) {
	r := &Register{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read register of honey records: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var h vigil.Honey
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return nil, fmt.Errorf("%s:%d: it is no honey record: %w; mend or delete the line", path, n, err)
		}
		if err := h.Check(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w; mend or delete the line", path, n, err)
		}
		r.Records = append(r.Records, h)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read register of honey records %s: %w", path, err)
	}
	return r, nil
}

// Add enters a record. One that is entered already is an error: it would be planted
// twice.
func (r *Register) Add(h vigil.Honey) error {
	if err := h.Check(); err != nil {
		return err
	}
	for i := range r.Records {
		if r.Records[i].Key() == h.Key() {
			return fmt.Errorf("the honey record %q is registered already, for %q", h.Subject, r.Records[i].Variant)
		}
	}
	r.Records = append(r.Records, h)
	return nil
}

// Retire sets an end to what was planted before a time and has none yet, and counts it
// by variant, in the order in which the variants were first planted.
func (r *Register) Retire(before, end time.Time) (variants []string, retired map[string]int) {
	retired = map[string]int{}
	for i := range r.Records {
		h := &r.Records[i]
		if !h.To.IsZero() || !h.From.Before(before) {
			continue
		}
		h.To = end
		if retired[h.Variant]++; retired[h.Variant] == 1 {
			variants = append(variants, h.Variant)
		}
	}
	return variants, retired
}

// Save writes the register, whole or not at all, for its owner's eyes only.
func (r *Register) Save() (err error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for i := range r.Records {
		if err := encoder.Encode(&r.Records[i]); err != nil {
			return fmt.Errorf("write register of honey records: %w", err)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), FileName+".*") // made for its owner alone
	if err != nil {
		return fmt.Errorf("write register of honey records: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what failed is told already
		}
	}()
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		return fmt.Errorf("write register of honey records: %w", err)
	}
	return nil
}
