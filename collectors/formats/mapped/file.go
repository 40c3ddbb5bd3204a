package mapped

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats/web"
	"vigil/internal/yaml"
)

// File is a mapping file.
type File struct {
	// Fields say where each field of an event is found, by its name in native events.
	// Time, actor and action are required; url can stand for action.
	Fields map[string]*Value `yaml:"fields"`
	// Only lists what a record must fulfil, Skip what it must not, to be an access.
	Only []Condition `yaml:"only"`
	Skip []Condition `yaml:"skip"`
	// Timezone is where times without a zone are meant. Default UTC.
	Timezone string `yaml:"timezone"`
	// Columns are the names of a table's columns, where it has no line of names.
	// Separator is what stands between its values then; default a comma.
	Columns   []string `yaml:"columns"`
	Separator string   `yaml:"separator"`
	// Pattern takes lines of text apart: a regular expression whose named groups are the
	// paths.
	Pattern string `yaml:"pattern"`

	zone    *time.Location
	pattern *regexp.Regexp
	names   []string // of Fields, sorted
}

// Value says where a value is found and how it is converted, in the order in which the
// keys stand here. Written as one string it is a path.
type Value struct {
	// Path is a path in JSON (user.name, items.0.id, items.#.id for all of a list), a
	// column or a group; of several the first that holds something counts.
	Path []string `yaml:"path"`
	// Const is the value itself.
	Const string `yaml:"const"`
	// Match is a regular expression: the value is its first group, or all that matches;
	// nothing where it does not match.
	Match string `yaml:"match"`
	// Split cuts a value into several.
	Split string `yaml:"split"`
	// Without is taken off the start, where it stands there.
	Without string `yaml:"without"`
	// Prefix is put in front.
	Prefix string `yaml:"prefix"`
	// Lower makes it lower case.
	Lower bool `yaml:"lower"`
	// Map replaces values.
	Map map[string]string `yaml:"map"`
	// Default is taken where there is nothing, or nothing in Map.
	Default string `yaml:"default"`
	// Layout is how a time is written: as strftime has it, or as Go's package time. Default:
	// the usual forms, and seconds to nanoseconds since 1970. Zone is where it is meant when
	// it has none; default the file's.
	Layout string `yaml:"layout"`
	Zone   string `yaml:"zone"`

	paths []path
	match *regexp.Regexp
	zone  *time.Location
}

// SetShort takes one string for a path.
func (v *Value) SetShort(text string) { v.Path = []string{text} }

// Condition is something that a record may fulfil: a value is one of a list, or, without
// a list, is there at all.
type Condition struct {
	Path string   `yaml:"path"`
	Is   []string `yaml:"is"`

	path path
}

// path is a place in a record: a key as it is written, dots and all, or else a path.
type path struct{ plain, escaped string }

var special = strings.NewReplacer(".", `\.`, "*", `\*`, "?", `\?`, "|", `\|`, "#", `\#`, "@", `\@`, "!", `\!`, "{", `\{`, "[", `\[`, "(", `\(`, `\`, `\\`)

func newPath(s string) path { return path{s, special.Replace(s)} }

func (p path) get(v gjson.Result) gjson.Result {
	if got := v.Get(p.escaped); got.Exists() || p.plain == p.escaped {
		return got
	}
	return v.Get(p.plain)
}

// The names of fields that are needed, and of those that are not an event's own.
const (
	fieldTime   = "time"
	fieldActor  = "actor"
	fieldAction = "action"
	fieldMethod = "method"
	fieldURL    = "url"
	fieldStatus = "status"
)

// maxPattern bounds a regular expression, in bytes.
const maxPattern = 4096

// Parse reads a mapping file. The error lists every problem with its line.
func Parse(name string, text []byte) (*File, error) {
	f := &File{}
	d := yaml.Decode(name, text, f)
	if !d.Whole() {
		return nil, &yaml.Error{Problems: d.Sorted()}
	}
	f.check(d)
	if len(d.Problems) > 0 {
		return nil, &yaml.Error{Problems: d.Sorted()}
	}
	return f, nil
}

func (f *File) check(d *yaml.Document) {
	names := slices.Sorted(maps.Keys(setters))
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		at := "fields." + name
		if _, ok := setters[name]; !ok {
			remedy := "the fields are " + strings.Join(names, ", ")
			if near := yaml.Nearest(name, names); near != "" {
				remedy = fmt.Sprintf("did you mean %q?", near)
			}
			d.At(at, "an event has no such field", remedy)
			continue
		}
		if f.Fields[name] == nil {
			d.At(at, "is empty", "write a path, or {const: ...}")
			continue
		}
		f.Fields[name].check(d, at, name)
	}
	for _, name := range [...]string{fieldTime, fieldActor, fieldAction} {
		if f.Fields[name] == nil && !d.Bad("fields."+name) && (name != fieldAction || f.Fields[fieldURL] == nil) {
			d.At("fields."+name, "is missing", fmt.Sprintf("every event needs it: write for example %q", name+": path.to.it"))
		}
	}
	for kind, list := range map[string][]Condition{"only": f.Only, "skip": f.Skip} {
		for i := range list {
			if list[i].Path == "" {
				d.At(fmt.Sprintf("%s[%d]", kind, i), "has no path", `write for example {path: type, is: [heartbeat]}`)
			}
			list[i].path = newPath(list[i].Path)
		}
	}
	if f.Fields[fieldURL] == nil && (f.Fields[fieldMethod] != nil || f.Fields[fieldStatus] != nil) {
		d.At("fields", "method and status without url", "name the url too, or map action and outcome instead")
	}
	var err error
	if f.zone, err = location(f.Timezone); err != nil {
		d.At("timezone", err.Error(), `write for example "Europe/Berlin"`)
	}
	if f.pattern, err = expression(f.Pattern); err != nil {
		d.At("pattern", err.Error(), "")
	} else if f.pattern != nil && !slices.ContainsFunc(f.pattern.SubexpNames(), func(s string) bool { return s != "" }) {
		d.At("pattern", "has no named group", `name what it takes out: (?P<time>\S+)`)
	}
	if len(f.Separator) > 1 {
		d.At("separator", fmt.Sprintf("%q is more than one character", f.Separator), "")
	}
	if f.Separator != "" && len(f.Columns) == 0 {
		d.At("separator", "stands without columns", "a table with a line of names needs none: leave it out")
	}
}

func (f *File) separator() byte {
	if f.Separator == "" {
		return ','
	}
	return f.Separator[0]
}

func (v *Value) check(d *yaml.Document, at, name string) {
	if len(v.Path) == 0 && v.Const == "" && v.Default == "" && !d.Bad(at) {
		d.At(at, "says not where it is found", "give it a path or a const")
	}
	if v.Const != "" && len(v.Path) > 0 {
		d.At(at+".const", "stands beside a path", "keep one of them; what is taken where the path holds nothing is default")
	}
	for i, p := range v.Path {
		if p == "" {
			d.At(fmt.Sprintf("%s.path[%d]", at, i), "is empty", "")
		}
		v.paths = append(v.paths, newPath(p))
	}
	var err error
	if v.match, err = expression(v.Match); err != nil {
		d.At(at+".match", err.Error(), "")
	}
	if v.zone, err = location(v.Zone); err != nil {
		d.At(at+".zone", err.Error(), `write for example "Europe/Berlin"`)
	}
	if (v.Layout != "" || v.Zone != "") && name != fieldTime {
		d.At(at, "has a layout or a zone and is no time", "only time has these")
	}
	if strings.Contains(v.Layout, "%") {
		layout, ok := web.Strftime(v.Layout)
		if !ok {
			d.At(at+".layout", fmt.Sprintf("%q can't be read", v.Layout), `write for example "%d.%m.%Y %H:%M:%S"`)
		}
		v.Layout = layout
	} else if v.Layout != "" && !isLayout(v.Layout) {
		d.At(at+".layout", fmt.Sprintf("%q holds no day", v.Layout), `write it as strftime does, "%d.%m.%Y %H:%M:%S", or as Go does, "02.01.2006 15:04:05"`)
	}
	if v.Split != "" && name != "subjects" && name != "fields" {
		d.At(at+".split", "this field holds one value", "only subjects and fields hold several")
	}
	v.checkValues(d, at, name)
}

// checkValues looks at the values of a field whose values are a closed set.
func (v *Value) checkValues(d *yaml.Document, at, name string) {
	var may []string
	switch name {
	case fieldAction:
		for _, a := range vigil.Actions() {
			may = append(may, string(a))
		}
	case "outcome":
		may = []string{"success", "denied", "error"}
	case "actor_kind":
		may = []string{"human", "service", "bot", "vendor", "admin", "anonymous"}
	default:
		return
	}
	look := func(at, value string) {
		if value == "" || slices.Contains(may, value) {
			return
		}
		remedy := "it is one of " + strings.Join(may, ", ")
		if near := yaml.Nearest(value, may); near != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		d.At(at, fmt.Sprintf("%q is no %s", value, name), remedy)
	}
	look(at+".default", v.Default)
	if len(v.Map) == 0 {
		look(at+".const", v.Const)
	}
	for _, from := range slices.Sorted(maps.Keys(v.Map)) {
		look(at+".map."+from, v.Map[from])
	}
}

// isLayout tells a layout of package time that holds at least a day.
func isLayout(s string) bool {
	a, b := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2026, 11, 23, 3, 4, 5, 0, time.UTC)
	return a.Format(s) != b.Format(s)
}

func location(name string) (*time.Location, error) {
	if name == "" {
		return nil, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone", name)
	}
	return zone, nil
}

func expression(s string) (*regexp.Regexp, error) {
	if s == "" {
		return nil, nil
	}
	if len(s) > maxPattern {
		return nil, fmt.Errorf("has %d bytes, at most %d are read", len(s), maxPattern)
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, errors.New("is no regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// wants reports whether a record is an access.
func (f *File) wants(v gjson.Result) bool {
	for i := range f.Only {
		if !f.Only[i].holds(v) {
			return false
		}
	}
	return !slices.ContainsFunc(f.Skip, func(c Condition) bool { return c.holds(v) })
}

func (c *Condition) holds(v gjson.Result) bool {
	got := c.path.get(v)
	if len(c.Is) == 0 {
		return got.Exists() && got.Type != gjson.Null && got.String() != ""
	}
	return slices.Contains(c.Is, got.String())
}
