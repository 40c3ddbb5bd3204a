package record

import (
	"bytes"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats"
)

// Carrier is what the wrapping of a record told.
type Carrier struct {
	// Time is when the carrier took it, zero for unknown; Host and App from where.
	Time      time.Time
	Host, App string
	// Process is the process that wrote it, as the carrier has it; Stamp the time as
	// the older syslog has it, without year and zone ("Jan  2 15:04:05"), where Time is
	// not known.
	Process, Stamp string
}

// maxPeels bounds how many wrappings are taken off.
const maxPeels = 4

// peeler takes lines of text out of what carried them. It holds the parts of one line
// that a container's runtime has cut.
type peeler struct{ partial []byte }

// join peels a container runtime's framing and puts cut lines together. whole is false
// for a part that goes on.
func (p *peeler) join(text []byte) (inner []byte, c Carrier, whole bool) {
	at, tag, rest, ok := cri(text)
	if !ok {
		return text, c, true
	}
	c.Time = at
	if tag == 'P' {
		if len(p.partial)+len(rest) <= MaxRecord {
			p.partial = append(p.partial, rest...)
		}
		return nil, c, false
	}
	if len(p.partial) > 0 {
		rest = append(p.partial, rest...)
		p.partial = nil
	}
	return rest, c, true
}

// cri reads the frame of the Kubernetes container runtime interface's log:
// time, stream, tag (P for a part, F for a whole line), text.
func cri(text []byte) (at time.Time, tag byte, rest []byte, ok bool) {
	if len(text) < 30 || text[4] != '-' || text[10] != 'T' {
		return at, 0, nil, false
	}
	stamp, rest, _ := bytes.Cut(text, []byte{' '})
	stream, rest, _ := bytes.Cut(rest, []byte{' '})
	if s := string(stream); s != "stdout" && s != "stderr" {
		return at, 0, nil, false
	}
	mark, rest, found := bytes.Cut(rest, []byte{' '})
	if !found || len(mark) == 0 || mark[0] != 'P' && mark[0] != 'F' {
		return at, 0, nil, false
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	return at, mark[0], rest, err == nil
}

// syslog takes the header off a syslog line: RFC 5424 (Gerhards, The Syslog Protocol,
// 2009), RFC 3164 (Lonvick, The BSD syslog Protocol, 2001), and what daemons write in
// files, without the priority. The year that the older form leaves out is not guessed:
// its time is not told.
func syslog(text []byte) (inner []byte, c Carrier, ok bool) {
	s := counted(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if len(s) > 3 && s[0] == '<' {
		end := bytes.IndexByte(s[:min(len(s), 6)], '>')
		if end < 2 || !digits(s[1:end]) {
			return nil, c, false
		}
		s = s[end+1:]
		if len(s) > 2 && s[0] >= '1' && s[0] <= '9' && s[1] == ' ' {
			return syslog5424(s[2:])
		}
	}
	switch {
	case len(s) > 16 && s[3] == ' ' && s[6] == ' ' && s[9] == ':' && s[12] == ':' && s[15] == ' ' && isMonth(s[:3]):
		c.Stamp, s = string(s[:15]), s[16:]
	case len(s) > 26 && s[4] == '-' && s[7] == '-' && s[10] == 'T':
		stamp, rest, _ := bytes.Cut(s, []byte{' '})
		at, err := time.Parse(time.RFC3339Nano, string(stamp))
		if err != nil {
			return nil, c, false
		}
		c.Time, s = at, rest
	default:
		return nil, c, false
	}
	host, rest, found := bytes.Cut(s, []byte{' '})
	if !found || len(host) == 0 || len(host) > 255 {
		return nil, c, false
	}
	// The tag: a name, perhaps a number in brackets, a colon.
	colon := bytes.Index(rest, []byte(": "))
	if colon <= 0 || colon > 80 || bytes.ContainsAny(rest[:colon], " \"{") {
		return nil, c, false
	}
	app, process, _ := strings.Cut(string(rest[:colon]), "[")
	c.Host, c.App, c.Process = string(host), app, strings.TrimSuffix(process, "]")
	return rest[colon+2:], c, true
}

// Peel takes the header off a syslog line, for formats that are not read by this package;
// ok is false where there is none.
func Peel(line []byte) (inner []byte, ok bool) {
	inner, _, ok = syslog(line)
	return inner, ok
}

func syslog5424(s []byte) (inner []byte, c Carrier, ok bool) {
	var head [5][]byte // time, host, app, process, message id
	for i := range head {
		field, rest, found := bytes.Cut(s, []byte{' '})
		if !found || len(field) == 0 {
			return nil, c, false
		}
		head[i], s = field, rest
	}
	if at, err := time.Parse(time.RFC3339Nano, string(head[0])); err == nil {
		c.Time = at
	}
	c.Host, c.App, c.Process = dash(head[1]), dash(head[2]), dash(head[3])
	// Structured data: "-", or elements in brackets whose quoted values may hold
	// escaped brackets.
	if len(s) > 0 && s[0] == '-' {
		return bytes.TrimPrefix(bytes.TrimPrefix(s[1:], []byte{' '}), []byte("\xef\xbb\xbf")), c, true
	}
	if len(s) > 0 && s[0] != '[' {
		return s, c, true // some senders, such as Heroku's, leave it out
	}
	i, quoted := 0, false
	for ; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\\' && quoted:
			i++
		case ch == '"':
			quoted = !quoted
		case ch == ']' && !quoted:
			if i+1 >= len(s) || s[i+1] != '[' {
				return bytes.TrimPrefix(bytes.TrimPrefix(s[i+1:], []byte{' '}), []byte("\xef\xbb\xbf")), c, true
			}
		}
	}
	return nil, c, false
}

// counted takes off the length that precedes a message in a stream of them (Gerhards and
// Lonvick, RFC 6587, 2012).
func counted(s []byte) []byte {
	if n := bytes.IndexByte(s[:min(len(s), 9)], ' '); n > 0 && digits(s[:n]) && n+1 < len(s) && s[n+1] == '<' {
		return s[n+1:]
	}
	return s
}

func dash(s []byte) string {
	if string(s) == "-" {
		return ""
	}
	return string(s)
}

func digits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"

func isMonth(s []byte) bool {
	return len(s) == 3 && strings.Contains(months, string(s))
}

// holders are keys under which carriers put a record: an object, or a string that holds
// one. Those of text come after those of JSON.
var holders = [...]string{
	"log", "json", "event", "_source", "detail", "message", "_raw", "body", "data", "payload", "jsonPayload", "textPayload", "msg", "AuditData", "event.original", "@message",
	"CloudTrailEvent", "eventData",
}

// holderAt is where in holders a key stands.
var holderAt = func() map[string]int {
	at := make(map[string]int, len(holders))
	for i, key := range holders {
		at[key] = i
	}
	return at
}()

// carried is what stands under each of the holders' keys, found in one pass: documents
// may be long.
func carried(v gjson.Result) (held [len(holders)]gjson.Result) {
	v.ForEach(func(key, value gjson.Result) bool {
		if i, ok := holderAt[key.Str]; ok && !held[i].Exists() {
			held[i] = value
		}
		return true
	})
	if inner := held[holderAt["event"]].Get("original"); inner.Exists() {
		held[holderAt["event.original"]] = inner
	}
	return held
}

// unwrap finds the records in a text, whatever carries them, and gives each to read. found says whether there were
// any. What is none is an error.
func unwrap(spec *Spec, text []byte, c Carrier, peels int, read func(*Record) error) (found bool, err error) {
	t := bytes.TrimSpace(text)
	if len(t) == 0 {
		return true, nil
	}
	if startsJSON(t) || t[0] == '{' && (spec.Text == nil || spec.Text(t) < IsRecord) {
		t = bytes.TrimRight(t, ",") // an element of an array that was cut into lines
		if peels > 0 && !shallow(t) {
			return false, formats.Errorf("json", "the JSON is nested more than %d levels deep", MaxDepth)
		}
		if !gjson.ValidBytes(t) && bytes.Contains(t, []byte(`\'`)) {
			t = unquote(t)
		}
		if !gjson.ValidBytes(t) {
			// A document cut at a sample's end is read as far as it goes.
			if peels > 0 || t[len(t)-1] == '}' || t[len(t)-1] == ']' {
				return false, formats.Errorf("json", "the JSON can't be read")
			}
		}
		n, err := descend(spec, gjson.ParseBytes(t), c, 0, read)
		if err == nil && n == 0 {
			return false, errNone(spec)
		}
		return n > 0, err
	}
	if spec.Text != nil && spec.Text(t) >= IsRecord {
		return true, read(&Record{Text: t, Carrier: c})
	}
	if peels < maxPeels {
		if inner, carrier, ok := syslog(t); ok {
			if carrier.Time.IsZero() {
				carrier.Time = c.Time
			}
			return unwrap(spec, inner, carrier, peels+1, read)
		}
		if inner, ok := tagged(t); ok {
			return unwrap(spec, inner, c, peels+1, read)
		}
	}
	return false, errNone(spec)
}

// tagged takes the tag off "name: {...}", what is left of a syslog line where a relay has
// taken its header.
func tagged(t []byte) (inner []byte, ok bool) {
	i := 0
	for i < len(t) && i < 64 && (t[i]|0x20 >= 'a' && t[i]|0x20 <= 'z' || t[i] >= '0' && t[i] <= '9' || t[i] == '_' || t[i] == '-' || t[i] == '.' || t[i] == '[' || t[i] == ']') {
		i++
	}
	if i == 0 || !bytes.HasPrefix(t[i:], []byte(": {")) {
		return nil, false
	}
	return t[i+2:], true
}

// unquote mends JSON whose writer escapes apostrophes, as JavaScript has them.
func unquote(t []byte) []byte {
	out := make([]byte, 0, len(t))
	for i := 0; i < len(t); i++ {
		if t[i] == '\\' && i+1 < len(t) {
			if t[i+1] != '\'' {
				out = append(out, t[i])
			}
			i++
		}
		out = append(out, t[i])
	}
	return out
}

func errNone(spec *Spec) error {
	return formats.Errorf("format", "this is no record of the format %s", spec.Name)
}

// maxDescent bounds how deep records are looked for in a document.
const maxDescent = 5

// descend gives the records in a JSON value to read, and says how many there were.
func descend(spec *Spec, v gjson.Result, c Carrier, depth int, read func(*Record) error) (n int, err error) {
	if depth > maxDescent {
		return 0, nil
	}
	if v.IsArray() {
		var errs []error
		v.ForEach(func(_, item gjson.Result) bool {
			if !item.IsObject() {
				return true
			}
			k, err := descend(spec, item, c, depth+1, read)
			if err != nil {
				errs = append(errs, err)
			}
			n += k
			return true
		})
		return n, join(errs)
	}
	if !v.IsObject() {
		return 0, nil
	}
	if crowded(v) {
		return 0, formats.Errorf("json", "the JSON object has more than %d keys", maxKeys)
	}
	if spec.JSON != nil && spec.JSON(v) >= IsRecord {
		return 1, read(&Record{Text: []byte(v.Raw), JSON: v, Carrier: c})
	}
	if spec.passes != nil && spec.passes(v) {
		return 1, nil
	}
	// What carries one record.
	held := carried(v)
	for i := range held {
		switch h := held[i]; {
		case h.IsObject():
			n, err = descend(spec, h, c, depth+1, read)
		case h.Type == gjson.String:
			n, err = heldText(spec, v, h.Str, c, depth, read)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	// What carries many.
	var errs []error
	v.ForEach(func(_, item gjson.Result) bool {
		if item.IsArray() || item.IsObject() && depth < 2 {
			k, err := descend(spec, item, c, depth+1, read)
			if err != nil {
				errs = append(errs, err)
			}
			n += k
		}
		return true
	})
	return n, join(errs)
}

// heldText reads a record out of a string: JSON, of which it takes one record and no
// more, or a line.
func heldText(spec *Spec, outer gjson.Result, s string, c Carrier, depth int, read func(*Record) error) (n int, err error) {
	t := strings.TrimSpace(s)
	if len(t) < 2 {
		return 0, nil
	}
	for _, key := range [...]string{"time", "@timestamp", "timestamp"} {
		if c.Time.IsZero() {
			if at, err := time.Parse(time.RFC3339Nano, outer.Get(key).Str); err == nil {
				c.Time = at
			}
		}
	}
	if t[0] == '{' {
		if !shallow([]byte(t)) || !gjson.Valid(t) {
			return 0, nil
		}
		one := false
		return descend(spec, gjson.Parse(t), c, depth+1, func(r *Record) error {
			if one {
				return nil
			}
			one = true
			return read(r)
		})
	}
	if spec.Text == nil || strings.ContainsAny(strings.TrimRight(t, "\r\n"), "\r\n") && spec.Text([]byte(t)) < IsRecord {
		return 0, nil
	}
	found, err := unwrap(spec, []byte(t), c, depth+1, read)
	if !found {
		return 0, nil
	}
	return 1, err
}

// maxKeys is how many keys of its own an object may have: each question to it goes
// through all of them.
const maxKeys = 10_000

// crowded says that an object has more keys than that.
func crowded(v gjson.Result) bool {
	if len(v.Raw) < 4*maxKeys {
		return false
	}
	n := 0
	v.ForEach(func(_, _ gjson.Result) bool {
		n++
		return n <= maxKeys
	})
	return n > maxKeys
}

// shallow says that JSON is not nested deeper than MaxDepth.
func shallow(t []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}
