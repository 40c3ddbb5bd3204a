package traffic

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vigil"
)

// WriteFacts writes what feeds tell as files into a folder that is there: one a
// kind, named for it, as a table (csv) or a list of objects (json). Columns and keys
// are the names of vigil's facts; a list in a table's cell is parted by "|". Of what
// was told several times the last word stands, since a file tells what holds now.
// It returns the files' paths.
func WriteFacts(dir, form string, told []Told) ([]string, error) {
	if form != "csv" && form != "json" {
		return nil, fmt.Errorf("write facts: the form %q is not csv or json", form)
	}
	var paths []string
	for _, kind := range vigil.FactKinds() {
		rows, err := last(told, kind)
		if err != nil {
			return paths, fmt.Errorf("write %s facts: %w", kind, err)
		}
		if len(rows) == 0 {
			continue
		}
		path := filepath.Join(dir, string(kind)+"."+form)
		if err := writeRows(path, form, kind, rows); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// last lists the last word of each record of a kind, in the order of first words.
func last(told []Told, kind vigil.FactKind) ([]json.RawMessage, error) {
	var rows []json.RawMessage
	at := map[string]int{}
	for i := range told {
		f := &told[i].Facts
		if f.Kind != kind {
			continue
		}
		err := eachRecord(f, func(key string, record any) error {
			raw, err := json.Marshal(record)
			if err != nil {
				return err
			}
			if n, ok := at[key]; ok {
				rows[n] = raw
				return nil
			}
			at[key] = len(rows)
			rows = append(rows, raw)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// eachRecord goes through the one list of a piece that is filled.
func eachRecord(f *vigil.Facts, use func(key string, record any) error) error {
	var errs []error
	each := func(key string, record any) { errs = append(errs, use(key, record)) }
	for i := range f.People {
		each(f.People[i].Key(), &f.People[i])
	}
	for i := range f.Assignments {
		each(f.Assignments[i].Key(), &f.Assignments[i])
	}
	for i := range f.Shifts {
		each(f.Shifts[i].Key(), &f.Shifts[i])
	}
	for i := range f.Changes {
		each(f.Changes[i].Key(), &f.Changes[i])
	}
	for i := range f.Consents {
		each(f.Consents[i].Key(), &f.Consents[i])
	}
	for i := range f.Contracts {
		each(f.Contracts[i].Key(), &f.Contracts[i])
	}
	for i := range f.Customers {
		each(f.Customers[i].Key(), &f.Customers[i])
	}
	for i := range f.Purposes {
		each(f.Purposes[i].Key(), &f.Purposes[i])
	}
	for i := range f.Honey {
		each(f.Honey[i].Key(), &f.Honey[i])
	}
	return errors.Join(errs...)
}

func writeRows(path, form string, kind vigil.FactKind, rows []json.RawMessage) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s facts: %w", kind, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("write %s facts: %w", kind, cerr)
		}
	}()
	if form == "json" {
		encoder := json.NewEncoder(f)
		encoder.SetIndent("", " ")
		return encoder.Encode(rows)
	}
	return writeTable(f, rows)
}

// writeTable writes records as a table: the columns are all keys that occur, sorted.
func writeTable(out io.Writer, rows []json.RawMessage) error {
	records := make([]map[string]any, len(rows))
	seen := map[string]bool{}
	for i, raw := range rows {
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.UseNumber()
		if err := decoder.Decode(&records[i]); err != nil {
			return err
		}
		for key := range records[i] {
			seen[key] = true
		}
	}
	columns := make([]string, 0, len(seen))
	for key := range seen {
		columns = append(columns, key)
	}
	slices.Sort(columns)
	table := csv.NewWriter(out)
	if err := table.Write(columns); err != nil {
		return err
	}
	line := make([]string, len(columns))
	for _, r := range records {
		for i, key := range columns {
			line[i] = cell(r[key])
		}
		if err := table.Write(line); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// cell writes a value in a table.
func cell(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = cell(x[i])
		}
		return strings.Join(parts, "|")
	default:
		return fmt.Sprint(x)
	}
}
