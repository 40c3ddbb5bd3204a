package app

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/formats/presets"
)

// SuggestedSource is a source as vigil would configure it from what lies there.
type SuggestedSource struct {
	// Name is made of the path; Files is the glob that takes all its pieces.
	Name, Files string
	// Format and Sure say what it is.
	Format string
	Sure   float64
	// Preset is a schema that fits; else Mapping is what names and paths look like.
	Preset  string
	Mapping formats.Mapping
	// MappingFile is a mapping file for the format mapped; empty for other formats.
	MappingFile string
	// Of the part that was looked at: accesses, records that could not be read, and the
	// accesses that name a customer and a conversation with the mapping.
	Events, SetAside, Subjects, Conversations int
}

// Passed is a log of which no source is made, and why.
type Passed struct{ Path, Reason string }

// suggestBytes is how much of each log is looked at.
const suggestBytes = 4 << 20

// Suggest looks at files, folders or globs and says which sources they would be, in the
// order of their names. It reads the start of each log and keeps nothing.
func Suggest(args []string) (sources []SuggestedSource, passed []Passed, err error) {
	full := make([]string, len(args))
	for i, a := range args { // a service has another working folder
		if full[i], err = filepath.Abs(a); err != nil {
			return nil, nil, fmt.Errorf("find %s: %w", a, err)
		}
	}
	args = full
	families, err := file.Families(args, catalog.All(), suggestBytes)
	if err != nil {
		return nil, nil, err
	}
	used := map[string]bool{}
	for i := range families {
		f := &families[i]
		if f.Format == nil {
			if s, ok := mappedSource(f, used); ok {
				sources = append(sources, s)
				continue
			}
			passed = append(passed, Passed{f.Path, f.Reason})
			continue
		}
		s := SuggestedSource{Name: sourceName(f.Path, used), Files: f.Path, Format: f.Format.Name(), Sure: f.Sure}
		if len(f.Files) > 1 || f.Files[0] != f.Path {
			s.Files = f.Path + "*"
			if ext := filepath.Ext(f.Path); ext != "" && !slices.ContainsFunc(f.Files, func(p string) bool { return strings.HasPrefix(p, f.Path) }) {
				s.Files = strings.TrimSuffix(f.Path, ext) + "*"
			}
		}
		s.look(f)
		sources = append(sources, s)
	}
	return sources, passed, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// sourceName makes a name of a path that no other source has.
func sourceName(path string, used map[string]bool) string {
	base := filepath.Base(path)
	name := strings.Trim(notInNames.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-"), "-._")
	if name == "" {
		name = "source"
	}
	name = name[:min(len(name), 60)]
	unique := name
	for n := 2; used[unique]; n++ {
		unique = name + "-" + strconv.Itoa(n)
	}
	used[unique] = true
	return unique
}

// sampled is what the start of a log gives under a mapping.
type sampled struct {
	events, aside, subjects, conversations int
	// named counts, by resource, the events and those that name anybody.
	resources map[string]int
	named     map[string]int
}

// sample decodes the start of a log under a mapping and the format's parameters.
func sample(f *file.Family, mapping *formats.Mapping, params map[string]string) (s sampled) {
	s.resources, s.named = map[string]int{}, map[string]int{}
	dec, err := f.Format.New(formats.Options{Source: "suggest", File: f.Path, Sample: f.Text[:min(len(f.Text), formats.MaxSample)], Mapping: mapping, Params: params})
	if err != nil {
		return s
	}
	emit := func(e *vigil.Event, _ formats.Line) {
		s.events++
		s.resources[e.Resource]++
		if len(e.Subjects) > 0 {
			s.subjects++
		}
		if e.Conversation != "" {
			s.conversations++
		}
		if len(e.Subjects) > 0 || e.Conversation != "" || e.ResourceTenant != "" || e.Ticket != "" {
			s.named[e.Resource]++
		}
	}
	eachLine(dec, f.Text, func(line formats.Line) bool {
		s.aside += len(problemsOf(dec.Decode(line, emit)))
		return true
	})
	_ = dec.Flush(emit) // the sample may end within a record
	return s
}

// look reads the log's start and finds a mapping that fits it.
func (s *SuggestedSource) look(f *file.Family) {
	bare := sample(f, nil, nil)
	best := bare
	if name, with := presetFor(f, bare); name != "" {
		s.Preset, best = name, with
	} else if m := guess(f.Text, bare.resources); m != nil {
		with := sample(f, m, nil)
		for table := range m.Tables {
			if with.named[table] == 0 {
				delete(m.Tables, table)
			}
		}
		if with.subjects > bare.subjects || with.conversations > bare.conversations {
			s.Mapping, best = *m, with
		}
	}
	s.Events, s.SetAside, s.Subjects, s.Conversations = best.events, best.aside, best.subjects, best.conversations
}

// presetFor is the preset by which the log names more than without one, provided that
// most of what was reached is in it.
func presetFor(f *file.Family, bare sampled) (name string, best sampled) {
	for _, n := range presets.Names() {
		m, _ := presets.Named(n)
		known, all := 0, 0
		for r, k := range bare.resources {
			if all += k; m.Tables[r].Columns != nil || m.Tables[r].Class != "" || m.Tables[r].Ignore {
				known += k
			}
		}
		with := sample(f, m, nil)
		if len(m.Tables) > 0 && 2*known < all && with.conversations+with.subjects < all/2 {
			continue
		}
		if with.subjects+with.conversations > bare.subjects+bare.conversations && with.subjects+with.conversations > best.subjects+best.conversations {
			name, best = n, with
		}
	}
	return name, best
}

// What names stand for, as people choose them.
var (
	subjectWord      = regexp.MustCompile(`^(?:customer|contact|client|subscriber|visitor|consumer|patient|person|people|lead|end_?user|data_?subject)s?$`)
	conversationWord = regexp.MustCompile(`^(?:conversation|chat|thread|dialog|dialogue|room)s?$`)
	ticketWord       = regexp.MustCompile(`^(?:ticket|case|issue)s?$`)
	tenantWord       = regexp.MustCompile(`^(?:account|tenant|organi[sz]ation|org|workspace|company|companie)s?$`)
	idColumn         = regexp.MustCompile(`\b([a-z][a-z_]{1,40})_(?:id|uuid)\b`)
)

func meaningOf(word string) formats.Meaning {
	word = strings.ToLower(word)
	switch {
	case subjectWord.MatchString(word):
		return formats.MeansSubject
	case conversationWord.MatchString(word):
		return formats.MeansConversation
	case ticketWord.MatchString(word):
		return formats.MeansTicket
	case tenantWord.MatchString(word):
		return formats.MeansTenant
	}
	return ""
}

// classOf guesses how sensitive a resource is by its name.
func classOf(name string) string {
	for _, c := range [...]struct{ part, class string }{
		{"message", "chat"}, {"conversation", "chat"}, {"chat", "chat"}, {"thread", "chat"}, {"transcript", "chat"}, {"ticket", "chat"},
		{"customer", "contact"}, {"contact", "contact"}, {"client", "contact"}, {"subscriber", "contact"}, {"visitor", "contact"},
		{"payment", "payment"}, {"invoice", "payment"}, {"card", "payment"}, {"health", "health"}, {"patient", "health"},
	} {
		if strings.Contains(name, c.part) {
			return c.class
		}
	}
	return ""
}

// guess makes a mapping of the names in a log: tables by the columns that stand beside
// them, paths by the words before ids.
func guess(text []byte, resources map[string]int) *formats.Mapping {
	m := &formats.Mapping{Tables: map[string]formats.Table{}}
	for _, r := range slices.Sorted(maps.Keys(resources)) {
		if strings.HasPrefix(r, "/") {
			if p, ok := guessPath(r); ok {
				m.Paths = append(m.Paths, p)
			}
		}
	}
	slices.SortStableFunc(m.Paths, func(a, b formats.Path) int {
		return cmp.Compare(strings.Count(b.Template, "/"), strings.Count(a.Template, "/"))
	})
	for line := range bytes.Lines(text) {
		if len(line) > 1<<14 {
			line = line[:1<<14]
		}
		lower := strings.ToLower(string(line))
		var columns []string
		for _, c := range idColumn.FindAllStringSubmatch(lower, 20) {
			if meaningOf(c[1]) != "" {
				columns = append(columns, c[0])
			}
		}
		for r := range resources {
			if r == "" || strings.ContainsAny(r, "/ {") || !strings.Contains(lower, r) {
				continue
			}
			t := m.Tables[r]
			if t.Columns == nil {
				t = formats.Table{Columns: map[string]formats.Meaning{}, Class: classOf(r)}
				if means := meaningOf(r); means != "" {
					t.Columns["id"] = means
				}
				m.Tables[r] = t
			}
			for _, c := range columns {
				t.Columns[c] = meaningOf(strings.TrimSuffix(strings.TrimSuffix(c, "_uuid"), "_id"))
			}
		}
	}
	for r, t := range m.Tables {
		if len(t.Columns) == 0 {
			delete(m.Tables, r)
		}
	}
	if len(m.Tables) == 0 && len(m.Paths) == 0 {
		return nil
	}
	return m
}

// guessPath turns a path with ids in it into a template by the words before them.
func guessPath(path string) (formats.Path, bool) {
	segments := strings.Split(path, "/")
	found, last := false, ""
	for i, s := range segments {
		if s != "{id}" {
			if s != "" && !strings.HasPrefix(s, "{") {
				last = s
			}
			continue
		}
		if means := meaningOf(last); means != "" {
			segments[i] = "{" + string(means) + "}"
			found = true
		} else {
			segments[i] = "*"
		}
	}
	return formats.Path{Template: strings.Join(segments, "/"), Class: classOf(path)}, found
}

// SuggestedYAML writes a configuration of the sources, with what was seen of each as comments.
func SuggestedYAML(sources []SuggestedSource) string {
	var b strings.Builder
	b.WriteString("# Made by vigil sources suggest from what lies there. See vigil check, and docs/configuration.md.\ndata_dir: /var/lib/vigil\nsources:\n")
	for i := range sources {
		b.WriteString(sources[i].YAML(""))
	}
	return b.String()
}

// YAML writes the source as an entry of sources, with what was seen of it as comments.
// mappingFile is where its mapping file stands, if it needs one; empty leaves it to the
// reader to make that file of the comment.
func (s *SuggestedSource) YAML(mappingFile string) string {
	var b strings.Builder
	sure := fmt.Sprintf("%.0f %% sure", 100*s.Sure)
	if s.MappingFile != "" {
		sure = "no format is known: read by a mapping file, see docs/sources/mapped.md"
	}
	fmt.Fprintf(&b, "  - name: %s\n    file: %s\n    format: %s  # %s\n", s.Name, strconv.Quote(s.Files), s.Format, sure)
	fmt.Fprintf(&b, "    # Looked at: %d accesses, %d records that can't be read; %d name a customer, %d a conversation.\n", s.Events, s.SetAside, s.Subjects, s.Conversations)
	if s.MappingFile != "" && mappingFile != "" {
		fmt.Fprintf(&b, "    # The mapping file was made by the names of the keys; try it with vigil parse --mapping.\n    params: {mapping: %s}\n", strconv.Quote(mappingFile))
	} else {
		s.mappingYAML(&b)
	}
	return b.String()
}

func (s *SuggestedSource) mappingYAML(b *strings.Builder) {
	switch {
	case s.MappingFile != "":
		fmt.Fprintf(b, "    params: {mapping: %s.mapping.yaml}\n    # That file, made by the names of the keys; try it with vigil parse --mapping:\n", s.Name)
		for line := range strings.SplitSeq(strings.TrimSpace(s.MappingFile), "\n") {
			fmt.Fprintf(b, "    #   %s\n", line)
		}
		return
	case s.Preset != "":
		fmt.Fprintf(b, "    mapping: {preset: %s}\n", s.Preset)
		return
	case len(s.Mapping.Tables) == 0 && len(s.Mapping.Paths) == 0:
		if s.Subjects == 0 {
			b.WriteString("    # Nothing in it looks like a customer's id: a mapping says which columns or paths name them.\n")
		}
		return
	}
	b.WriteString("    mapping:\n")
	if len(s.Mapping.Tables) > 0 {
		b.WriteString("      tables:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Mapping.Tables)) {
		t := s.Mapping.Tables[name]
		var columns []string
		for _, c := range slices.Sorted(maps.Keys(t.Columns)) {
			columns = append(columns, c+": "+string(t.Columns[c]))
		}
		class := ""
		if t.Class != "" {
			class = "class: " + t.Class + ", "
		}
		fmt.Fprintf(b, "        %s: {%scolumns: {%s}}\n", strconv.Quote(name), class, strings.Join(columns, ", "))
	}
	if len(s.Mapping.Paths) > 0 {
		b.WriteString("      paths:\n")
	}
	for _, p := range s.Mapping.Paths {
		class := ""
		if p.Class != "" {
			class = ", class: " + p.Class
		}
		fmt.Fprintf(b, "        - {template: %s%s}\n", strconv.Quote(p.Template), class)
	}
}
