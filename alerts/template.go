package alerts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"vigil"
)

// The parts of a card whose words can be changed.
const (
	partTitle    = "title"
	partSentence = "sentence"
	partFields   = "fields"
	partFooter   = "footer"
)

// Bounds of templates.
const (
	maxTemplate = 16 << 10 // bytes of one file
	maxOutput   = 8 << 10  // bytes that one may write
	maxSteps    = 2000     // rounds of all its loops together
	maxTime     = 250 * time.Millisecond
)

// Words are a user's own words for a card: plain text, cleaned, as a channel's own text is.
type Words struct {
	parts  map[string]string
	fields []Field
}

// put puts the words in the place of the card's own.
func (w *Words) put(c *Card) {
	if w == nil {
		return
	}
	for part, to := range map[string]*string{partTitle: &c.Title, partSentence: &c.Sentence, partFooter: &c.Footer} {
		if s, ok := w.parts[part]; ok {
			*to = s
		}
	}
	if w.fields != nil {
		c.Fields = w.fields
	}
}

// Templates are a user's templates for the words of findings' and cases' cards. A part
// whose template fails keeps the words that are built in; a message is never lost by
// one. It is safe for concurrent use, and a nil one changes nothing.
type Templates struct {
	parts map[string]*template.Template // by file name

	mu     sync.Mutex // guards all below
	broken []error    // what was wrong with the files
	last   error      // what went wrong last
	failed int64
}

// ReadTemplates reads the files of a folder that end in ".tmpl": "title.tmpl",
// "sentence.tmpl", "fields.tmpl" and "footer.tmpl", and such that are for one channel only,
// as "slack.title.tmpl". The channels are the names of those that are configured. What is
// wrong with a file is in Problem; that file is left out. The error is the folder's.
func ReadTemplates(folder fs.FS, channels []string) (*Templates, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, fmt.Errorf("read the folder of templates: %w", err)
	}
	t := &Templates{parts: map[string]*template.Template{}}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".tmpl") {
			continue
		}
		if err := t.read(folder, e.Name(), channels); err != nil {
			t.broken = append(t.broken, fmt.Errorf("template %s: %w", Clean(e.Name()), err))
		}
	}
	return t, nil
}

func (t *Templates) read(folder fs.FS, file string, channels []string) error {
	part := strings.TrimSuffix(file, ".tmpl")
	if channel, rest, ok := cutLast(part, "."); ok {
		if !slices.Contains(channels, channel) {
			return fmt.Errorf("there is no channel %q; configured are: %s", channel, strings.Join(channels, ", "))
		}
		part = rest
	}
	if !slices.Contains([]string{partTitle, partSentence, partFields, partFooter}, part) {
		return fmt.Errorf("%q is no part of a card; say title, sentence, fields or footer", part)
	}
	info, err := fs.Stat(folder, file)
	if err != nil {
		return err
	}
	if info.Size() > maxTemplate {
		return fmt.Errorf("it has %d bytes, at most %d", info.Size(), maxTemplate)
	}
	text, err := fs.ReadFile(folder, file)
	if err != nil {
		return err
	}
	if len(text) > maxTemplate {
		return fmt.Errorf("it has %d bytes, at most %d", len(text), maxTemplate)
	}
	parsed, err := template.New(file).Option("missingkey=error").Funcs(templateFuncs).Parse(string(text))
	if err != nil {
		return err
	}
	if err := bound(parsed); err != nil {
		return err
	}
	// A field that there is not is told when the file is read, not when it is needed.
	if _, err := execute(parsed, templateData(Message{Kind: KindCase, Case: &vigil.Case{}, Finding: &vigil.Finding{}})); err != nil {
		return err
	}
	t.parts[file] = parsed
	return nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// Problem says what is wrong with templates, and what went wrong when one was used last;
// nil when nothing did.
func (t *Templates) Problem() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	errs := slices.Clone(t.broken)
	if t.last != nil {
		errs = append(errs, fmt.Errorf("%s told in the words that are built in; the last: %w", Count(t.failed, "part of a card was", "parts of cards were"), t.last))
	}
	return errors.Join(errs...)
}

// Failed counts the parts that were told in the words that are built in because their
// template failed.
func (t *Templates) Failed() int64 {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// Words are those for a message on a channel; nil for those that are built in.
func (t *Templates) Words(channel string, m Message) *Words {
	if t == nil || len(t.parts) == 0 || m.Kind != KindCase && m.Kind != KindFinding || m.Finding == nil {
		return nil
	}
	w := &Words{parts: map[string]string{}}
	for _, part := range []string{partTitle, partSentence, partFields, partFooter} {
		name := channel + "." + part + ".tmpl"
		tmpl := t.parts[name]
		if tmpl == nil {
			name = part + ".tmpl"
			if tmpl = t.parts[name]; tmpl == nil {
				continue
			}
		}
		text, err := execute(tmpl, templateData(m))
		if err != nil {
			t.mu.Lock()
			t.failed++
			t.last = fmt.Errorf("template %s: %w", name, err)
			t.mu.Unlock()
			continue
		}
		w.take(part, text)
	}
	return w
}

// take makes plain text of what a template wrote. An empty title or sentence is none: a
// card without them says nothing.
func (w *Words) take(part, text string) {
	switch part {
	case partFields:
		w.fields = []Field{}
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" || len(w.fields) == MaxFields {
				continue
			}
			label, value, ok := strings.Cut(line, ": ")
			if !ok {
				label, value = "", line
			}
			if value = Cut(Clean(strings.TrimSpace(value)), maxReason); value != "" {
				w.fields = append(w.fields, Field{Cut(Clean(strings.TrimSpace(label)), maxName), Text{{S: value}}})
			}
		}
	case partFooter:
		w.parts[part] = Cut(line(text), maxReason)
	case partTitle:
		if text = Cut(line(text), maxTitle); text != "" {
			w.parts[part] = text
		}
	case partSentence:
		if text = Cut(line(text), maxSentence); text != "" {
			w.parts[part] = text
		}
	}
}

// line makes one clean line of a text.
func line(text string) string { return Clean(strings.Join(strings.Fields(text), " ")) }

// execute runs a template within its bounds. The error names no value of the data.
func execute(t *template.Template, data *cardData) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %q", Cut(fmt.Sprint(r), maxReason))
		}
	}()
	var out bounded
	if err := t.Execute(&out, data); err != nil {
		return "", errors.New(Cut(Clean(err.Error()), maxReason))
	}
	return out.String(), nil
}

// bounded is a buffer that takes no more than maxOutput.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, fmt.Errorf("it writes more than %d bytes", maxOutput)
	}
	return b.Buffer.Write(p)
}
