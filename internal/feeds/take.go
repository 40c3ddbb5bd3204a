package feeds

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
)

// cell is one value of a record, as text or as a list, and where it stands.
type cell struct {
	column string // as the text calls it
	values []string
	line   int
	at     int // column from 1, 0 for none
}

// taker makes records of cells.
type taker struct {
	spec    Spec
	file    string
	reading *Reading
	// fields maps a column's name, as it is written and in lower case, to ours.
	fields map[string]string
	paths  map[string]field
	met    map[string]bool // our fields that the text has
	strays map[string]bool // columns that nobody reads
	byKey  map[string]int
	all    []record
}

// field is where a value goes.
type field struct {
	path []int
	kind reflect.Type
}

// lastDay is the column that gives a person's last day, the day included.
const lastDay = "last_day"

var timeType = reflect.TypeFor[time.Time]()

func newTaker(spec Spec, file string, r *Reading) (*taker, error) {
	t := &taker{spec: spec, file: file, reading: r, fields: map[string]string{}, paths: map[string]field{}, met: map[string]bool{}, strays: map[string]bool{}, byKey: map[string]int{}}
	sample := newRecord(spec.Kind)
	if sample == nil {
		return nil, &Error{Problem{File: file, Message: fmt.Sprintf("%q is no kind of feed", spec.Kind), Remedy: "the kinds are " + Kinds()}}
	}
	fieldsOf(reflect.TypeOf(sample).Elem(), nil, t.paths)
	if spec.Kind == vigil.FactPerson {
		t.paths[lastDay] = field{kind: timeType}
	}
	for name := range t.paths {
		t.fields[name] = name
	}
	for ours, theirs := range spec.Columns {
		if _, ok := t.paths[ours]; !ok {
			return nil, &Error{Problem{File: file, Field: ours, Message: "no such column of a " + string(spec.Kind) + " feed", Remedy: "the columns are " + t.names()}}
		}
		delete(t.fields, ours)
		t.fields[strings.ToLower(strings.TrimSpace(theirs))] = ours
	}
	return t, nil
}

// fieldsOf lists a record's fields by their names in JSON, those of what it embeds
// among them.
func fieldsOf(s reflect.Type, path []int, into map[string]field) {
	for i := range s.NumField() {
		f := s.Field(i)
		at := append(slices.Clone(path), i)
		if f.Anonymous {
			fieldsOf(f.Type, at, into)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[name] = field{at, f.Type}
	}
}

func (t *taker) names() string {
	var names []string
	for name := range t.paths {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// ours is our name of a column, empty for one that is not read.
func (t *taker) ours(column string) string {
	name := t.fields[strings.ToLower(strings.TrimSpace(column))]
	if name == "" {
		if len(t.strays) < maxProblems {
			t.strays[column] = true
		}
		return ""
	}
	t.met[name] = true
	return name
}

// take reads one record.
func (t *taker) take(cells []cell, line int) error {
	if t.reading.Records++; t.reading.Records > maxRecords {
		return &Error{Problem{File: t.file, Line: line, Message: fmt.Sprintf("more than %d records", maxRecords), Remedy: "split it into several feeds"}}
	}
	r := newRecord(t.spec.Kind)
	v := reflect.ValueOf(r).Elem()
	for _, c := range cells {
		name := t.ours(c.column)
		if name == "" || len(c.values) == 0 {
			continue
		}
		if err := t.set(v, name, c.values); err != nil {
			t.aside(Problem{Line: c.line, Column: c.at, Field: c.column, Message: err.Error(), Remedy: remedyOf(err)})
			return nil
		}
	}
	defaults(r)
	if err := r.Check(); err != nil {
		t.aside(Problem{Line: line, Message: err.Error(), Remedy: "correct the record"})
		return nil
	}
	key := r.Key()
	if at, twice := t.byKey[key]; twice {
		t.reading.Doubled++
		t.all[at] = r
		t.reading.problem(Problem{File: t.file, Line: line, Message: "the record stands there twice; the later one counts", Remedy: "give each record an id of its own"})
		return nil
	}
	t.byKey[key] = len(t.all)
	t.all = append(t.all, r)
	return nil
}

// defaults fills in what most texts leave out.
func defaults(r record) {
	switch r := r.(type) {
	case *vigil.Shift:
		if r.Duty == "" {
			r.Duty = vigil.DutyShift
		}
	case *vigil.Change:
		if r.Type == "" {
			r.Type = vigil.ChangeChange
		}
	}
}

func (t *taker) aside(p Problem) {
	p.File, p.Aside = t.file, true
	t.reading.problem(p)
}

// needed are, for each kind, the columns of which each group must have one.
var needed = map[vigil.FactKind][][]string{
	vigil.FactPerson: {{"actor"}}, vigil.FactConsent: {{"subject"}}, vigil.FactCustomer: {{"subject"}}, vigil.FactHoney: {{"subject"}},
	vigil.FactAssignment: {{"actor", "role", "team", "actor_kind"}, {"ticket", "conversation", "subject", "store", "resource", "purpose"}},
	vigil.FactShift:      {{"actor", "role", "team", "actor_kind"}, {"from", "to"}},
	vigil.FactChange:     {{"id", "actor", "role", "team", "store", "resource", "actor_kind"}},
	vigil.FactContract:   {{"actor", "role", "team", "actor_kind"}},
	vigil.FactPurpose:    {{"actor", "role", "team", "actor_kind"}, {"purpose"}},
}

// missing says which column the whole text lacks. A text without records lacks none.
func (t *taker) missing() error {
	if t.reading.Records == 0 && len(t.strays) == 0 {
		return nil
	}
	for _, group := range needed[t.spec.Kind] {
		if slices.ContainsFunc(group, func(name string) bool { return t.met[name] }) {
			continue
		}
		return &Error{Problem{
			File: t.file, Line: 1, Field: group[0], Message: "there is no column " + strings.Join(group, " or "),
			Remedy: `name the text's own under columns ("` + group[0] + `: Their Name"); it has ` + t.strayNames(),
		}}
	}
	return nil
}

func (t *taker) strayNames() string {
	names := make([]string, 0, len(t.strays))
	for name := range t.strays {
		names = append(names, strconv.Quote(name))
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "no others"
	}
	return strings.Join(names[:min(len(names), 20)], ", ")
}

// finish lays the records down, and notes those that overlap.
func (t *taker) finish() {
	for _, r := range t.all {
		put(&t.reading.Facts, r)
	}
	overlapping(t.file, t.reading)
}

// set writes a value into a record's field.
func (t *taker) set(v reflect.Value, name string, values []string) error {
	f := t.paths[name]
	text := strings.TrimSpace(values[0])
	if len(values) > 1 && f.kind.Kind() != reflect.Slice {
		return errors.New("one value is expected, not a list")
	}
	if len(text) > maxCell {
		return fmt.Errorf("the value has %d bytes, at most %d are read", len(text), maxCell)
	}
	if text == "" && len(values) == 1 {
		return nil
	}
	if f.path == nil { // the last day
		at, _, err := parseTime(text, t.spec.Location)
		if err != nil {
			return err
		}
		v.FieldByName("Leaves").Set(reflect.ValueOf(nextDay(at, t.spec.Location)))
		return nil
	}
	to := v.FieldByIndex(f.path)
	switch {
	case f.kind == timeType:
		at, dateOnly, err := parseTime(text, t.spec.Location)
		if err != nil {
			return err
		}
		if dateOnly && name == "to" {
			at = nextDay(at, t.spec.Location) // until a day means that day too
		}
		to.Set(reflect.ValueOf(at))
	case f.kind.Kind() == reflect.String:
		if f.kind == reflect.TypeFor[vigil.ActorKind]() || name == "duty" || name == "type" {
			text = strings.ToLower(text)
		}
		to.SetString(text)
	case f.kind.Kind() == reflect.Bool:
		switch strings.ToLower(text) {
		case "true", "yes", "1", "y":
			to.SetBool(true)
		case "false", "no", "0", "n":
		default:
			return fmt.Errorf("%q is neither yes nor no", text)
		}
	case f.kind.Kind() == reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		to.SetInt(n)
	case f.kind.Kind() == reflect.Slice:
		return setList(to, values)
	}
	return nil
}

// setList writes a list: its values, or one text that ";" or "|" divides.
func setList(to reflect.Value, values []string) error {
	if len(values) == 1 {
		values = strings.FieldsFunc(values[0], func(r rune) bool { return r == ';' || r == '|' })
	}
	out := reflect.MakeSlice(to.Type(), 0, len(values))
	for _, s := range values {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		e := reflect.New(to.Type().Elem()).Elem()
		if e.Kind() == reflect.Int {
			n, err := strconv.Atoi(s)
			if err != nil {
				return fmt.Errorf("%q is no whole number", s)
			}
			e.SetInt(int64(n))
		} else {
			e.SetString(s)
		}
		out = reflect.Append(out, e)
	}
	if out.Len() > 0 {
		to.Set(out)
	}
	return nil
}

// timeError is a value that is no time.
type timeError struct{ text string }

func (e *timeError) Error() string { return fmt.Sprintf("%q is no time", e.text) }

func remedyOf(err error) string {
	var t *timeError
	if errors.As(err, &t) {
		return "write 2026-03-31, 2026-03-31 17:00 or 2026-03-31T17:00:00+02:00"
	}
	return "correct the value"
}

// parseTime reads a time. One without a zone is meant at loc.
func parseTime(s string, loc *time.Location) (at time.Time, dateOnly bool, err error) {
	if loc == nil {
		loc = time.UTC
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), false, sane(at, s)
		}
	}
	for _, layout := range [...]string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, s, loc); err == nil {
			return at.UTC(), false, sane(at, s)
		}
	}
	if at, err := time.ParseInLocation(time.DateOnly, s, loc); err == nil {
		return at.UTC(), true, sane(at, s)
	}
	return time.Time{}, false, &timeError{s}
}

// sane refuses times that no period of work has.
func sane(at time.Time, s string) error {
	if at.Year() < 1900 || at.Year() > 2200 {
		return &timeError{s}
	}
	return nil
}

// nextDay is the midnight after a day began.
func nextDay(at time.Time, loc *time.Location) time.Time {
	if loc == nil {
		loc = time.UTC
	}
	return at.In(loc).AddDate(0, 0, 1).UTC()
}
