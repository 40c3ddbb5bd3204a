// Package feeds reads what tells the reasons for reads: who works where and when, who
// answers for which ticket, what customers allowed and vendors agreed to. It turns
// files and pushed texts into vigil.Facts.
//
// A text is read record by record (Read): a bad one is set aside with its place, what
// is wrong and the remedy, and the good ones beside it count. People and customers
// then become pseudonyms (privacy.Pseudonymizer.Facts), and of what is left only the
// change since the last time is handed on (Diff), in pieces of bounded size, which the
// program writes into its log. A Service does all of it for configured feeds. It
// keeps 16 bytes a record and its key to compare with, and has them from the log
// after a restart.
package feeds

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigil"
)

// The bounds of one text.
const (
	// MaxText bounds it in bytes.
	MaxText = 64 << 20
	// maxRecords bounds its records.
	maxRecords = 1_000_000
	// maxProblems bounds the problems that are listed; the rest is counted.
	maxProblems = 100
	// maxCell bounds one value, in bytes.
	maxCell = 4096
)

// Spec says how a feed's texts are read.
type Spec struct {
	// Name is the feed's in the configuration, Kind what it tells.
	Name string
	Kind vigil.FactKind
	// Tenant separates pseudonyms where a record names no tenant.
	Tenant string
	// Columns maps our names to the text's own: "actor" to "Employee ID".
	Columns map[string]string
	// Location is where times without a zone are meant; nil means UTC.
	Location *time.Location
}

// Problem is one thing that is wrong in a text.
type Problem struct {
	// File is the path, or what was pushed; Line and Column count from 1, 0 for none.
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Field is the column's name.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	// Aside says that a record was set aside for it; else it was only noted.
	Aside bool `json:"set_aside,omitempty"`
}

// String returns the problem as one line: place, field, message and remedy.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
	}
	b.WriteString(": ")
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Error is a text that can't be used as a whole.
type Error struct{ Problem Problem }

func (e *Error) Error() string { return e.Problem.String() }

// Reading is what a text holds.
type Reading struct {
	Facts vigil.Facts
	// Records is how many it has, Aside how many of them are not in Facts, Doubled how
	// many stood in place of an earlier one of the same key.
	Records, Aside, Doubled int
	// Problems are the first of what is wrong.
	Problems []Problem
}

func (r *Reading) problem(p Problem) {
	if p.Aside {
		r.Aside++
	}
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, p)
	}
}

// Read reads a text: CSV with a header, a JSON array or one object a line, or a YAML
// list. The name's ending says which, else its first character. The error is an
// *Error when no record can be read at all.
func Read(spec Spec, name string, text []byte) (*Reading, error) {
	text, err := plain(name, text)
	if err != nil {
		return nil, err
	}
	r := &Reading{Facts: vigil.Facts{Feed: spec.Name, Kind: spec.Kind}}
	t, err := newTaker(spec, name, r)
	if err != nil {
		return nil, err
	}
	switch format(name, text) {
	case "json":
		err = readJSON(name, text, t)
	case "yaml":
		err = readYAML(name, text, t)
	default:
		err = readCSV(name, text, t)
	}
	if err != nil {
		return nil, err
	}
	if err := t.missing(); err != nil {
		return nil, err
	}
	t.finish()
	return r, nil
}

// format guesses how a text is written.
func format(name string, text []byte) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", ".txt":
		return "csv"
	case ".json", ".ndjson", ".jsonl":
		return "json"
	case ".yaml", ".yml":
		return "yaml"
	}
	start := strings.TrimLeft(string(text[:min(len(text), 512)]), " \t\r\n")
	switch {
	case strings.HasPrefix(start, "{"), strings.HasPrefix(start, "["):
		return "json"
	case strings.HasPrefix(start, "- "), strings.HasPrefix(start, "---"), strings.HasPrefix(start, "#"):
		return "yaml"
	}
	return "csv"
}

// record is one of the nine kinds.
type record interface {
	Key() string
	Check() error
}

func newRecord(kind vigil.FactKind) record {
	switch kind {
	case vigil.FactPerson:
		return &vigil.Person{}
	case vigil.FactAssignment:
		return &vigil.Assignment{}
	case vigil.FactShift:
		return &vigil.Shift{}
	case vigil.FactChange:
		return &vigil.Change{}
	case vigil.FactConsent:
		return &vigil.Consent{}
	case vigil.FactContract:
		return &vigil.Contract{}
	case vigil.FactCustomer:
		return &vigil.Customer{}
	case vigil.FactPurpose:
		return &vigil.Purpose{}
	case vigil.FactHoney:
		return &vigil.Honey{}
	}
	return nil
}

func put(f *vigil.Facts, r record) {
	switch r := r.(type) {
	case *vigil.Person:
		f.People = append(f.People, *r)
	case *vigil.Assignment:
		f.Assignments = append(f.Assignments, *r)
	case *vigil.Shift:
		f.Shifts = append(f.Shifts, *r)
	case *vigil.Change:
		f.Changes = append(f.Changes, *r)
	case *vigil.Consent:
		f.Consents = append(f.Consents, *r)
	case *vigil.Contract:
		f.Contracts = append(f.Contracts, *r)
	case *vigil.Customer:
		f.Customers = append(f.Customers, *r)
	case *vigil.Purpose:
		f.Purposes = append(f.Purposes, *r)
	case *vigil.Honey:
		f.Honey = append(f.Honey, *r)
	}
}

// records lists what facts hold.
func records(f *vigil.Facts) (all []record) {
	for i := range f.People {
		all = append(all, &f.People[i])
	}
	for i := range f.Assignments {
		all = append(all, &f.Assignments[i])
	}
	for i := range f.Shifts {
		all = append(all, &f.Shifts[i])
	}
	for i := range f.Changes {
		all = append(all, &f.Changes[i])
	}
	for i := range f.Consents {
		all = append(all, &f.Consents[i])
	}
	for i := range f.Contracts {
		all = append(all, &f.Contracts[i])
	}
	for i := range f.Customers {
		all = append(all, &f.Customers[i])
	}
	for i := range f.Purposes {
		all = append(all, &f.Purposes[i])
	}
	for i := range f.Honey {
		all = append(all, &f.Honey[i])
	}
	return all
}

// Kinds lists the kinds of feed for messages.
func Kinds() string {
	var names []string
	for _, k := range vigil.FactKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// Known reports whether k is a kind of feed.
func Known(k vigil.FactKind) bool { return slices.Contains(vigil.FactKinds(), k) }
