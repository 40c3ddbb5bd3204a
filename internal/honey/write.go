package honey

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Format is how people are written for the user to load.
type Format string

// The formats.
const (
	SQL  Format = "sql"
	JSON Format = "json"
	CSV  Format = "csv"
)

// Fields names what of a person can be written, in the order of the default.
func Fields() []string {
	return []string{"id", "name", "given_name", "surname", "email", "phone", "street", "postcode", "city", "country", "created_at"}
}

// usual are the fields written when nothing else is asked.
var usual = []string{"id", "name", "email", "phone", "street", "postcode", "city", "country", "created_at"}

func (p *Person) field(name string) string {
	switch name {
	case "id":
		return p.ID
	case "name":
		return p.Name()
	case "given_name":
		return p.Given
	case "surname":
		return p.Surname
	case "email":
		return p.Email
	case "phone":
		return p.Phone
	case "street":
		return p.Street
	case "postcode":
		return p.Postcode
	case "city":
		return p.City
	case "country":
		return p.Country
	}
	return p.Created.UTC().Format(time.DateTime)
}

// Column is one column of what is written: a field of a person, or a text that is the
// same in all records.
type Column struct {
	Name string
	// Field is one of Fields; empty where Text stands.
	Field, Text string
}

// Columns reads a list of "field", "field=column" and, in set, "column=text". The
// default has the usual fields under their own names.
func Columns(list, set []string) ([]Column, error) {
	if len(list) == 0 {
		list = usual
	}
	var out []Column
	for _, s := range list {
		field, name, renamed := strings.Cut(s, "=")
		if !renamed {
			name = field
		}
		if !slices.Contains(Fields(), field) {
			return nil, fmt.Errorf("%w: there is no field %q; there are %s", ErrConfig, field, strings.Join(Fields(), ", "))
		}
		out = append(out, Column{Name: name, Field: field})
	}
	for _, s := range set {
		name, text, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("%w: %q is not COLUMN=TEXT", ErrConfig, s)
		}
		out = append(out, Column{Name: name, Text: text})
	}
	seen := map[string]bool{}
	for _, c := range out {
		if c.Name == "" || strings.ContainsAny(c.Name, "\"`\x00\n\r") || seen[c.Name] {
			return nil, fmt.Errorf("%w: the column %q can't be written, or comes twice", ErrConfig, c.Name)
		}
		seen[c.Name] = true
	}
	return out, nil
}

// Layout says how people are written.
type Layout struct {
	Format  Format
	Columns []Column
	// Table is the table of SQL's statements, with its schema where it has one.
	Table string
	// MySQL quotes names with backticks instead of double quotes.
	MySQL bool
}

// Write writes people. SQL is one statement a record, within one transaction; JSON one
// object a line.
func Write(w io.Writer, people []Person, l Layout) error {
	switch l.Format {
	case SQL:
		return l.sql(w, people)
	case JSON:
		return l.json(w, people)
	case CSV:
		return l.csv(w, people)
	}
	return fmt.Errorf("%w: the format %q is not sql, json or csv", ErrConfig, l.Format)
}

func (c *Column) of(p *Person) string {
	if c.Field == "" {
		return c.Text
	}
	return p.field(c.Field)
}

func (l *Layout) sql(w io.Writer, people []Person) error {
	if l.Table == "" || strings.ContainsAny(l.Table, "\"`;\x00\n\r ") {
		return fmt.Errorf("%w: the table %q is none", ErrConfig, l.Table)
	}
	mark := `"`
	if l.MySQL {
		mark = "`"
	}
	name := func(s string) string { return mark + s + mark }
	table := strings.Split(l.Table, ".")
	for i := range table {
		table[i] = name(table[i])
	}
	names := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		names[i] = name(c.Name)
	}
	head := fmt.Sprintf("INSERT INTO %s (%s) VALUES (", strings.Join(table, "."), strings.Join(names, ", "))
	var b strings.Builder
	b.WriteString("BEGIN;\n")
	for i := range people {
		b.WriteString(head)
		for k := range l.Columns {
			if k > 0 {
				b.WriteString(", ")
			}
			b.WriteString(l.quote(l.Columns[k].of(&people[i])))
		}
		b.WriteString(");\n")
	}
	b.WriteString("COMMIT;\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// quote writes a text for SQL. MySQL reads backslashes within quotes.
func (l *Layout) quote(s string) string {
	if l.MySQL {
		s = strings.ReplaceAll(s, `\`, `\\`)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func (l *Layout) json(w io.Writer, people []Person) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for i := range people {
		record := make(map[string]string, len(l.Columns))
		for k := range l.Columns {
			record[l.Columns[k].Name] = l.Columns[k].of(&people[i])
		}
		if err := encoder.Encode(record); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layout) csv(w io.Writer, people []Person) error {
	out := csv.NewWriter(w)
	row := make([]string, len(l.Columns))
	for k, c := range l.Columns {
		row[k] = c.Name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range people {
		for k := range l.Columns {
			row[k] = l.Columns[k].of(&people[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
