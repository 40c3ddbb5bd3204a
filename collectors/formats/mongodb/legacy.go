package mongodb

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// The heads of lines of text: with severity and component (3.0 to 4.2), without (2.6),
// and with the C library's time, which names no year (2.4, or timeStampFormat: ctime).
var (
	headISO   = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d{4})) (?:([DIWEF]\d?) +([A-Z_]+|-) +)?\[([^\]]{1,80})\] ?`)
	headCtime = regexp.MustCompile(`^((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d(?:\.\d{3})?) (?:([DIWEF]\d?) +([A-Z_]+|-) +)?\[([^\]]{1,80})\] ?`)
	tableRow  = regexp.MustCompile(`^\| *\d{13} *\| *\{`)
	tableEdge = regexp.MustCompile(`^(-{20,}|\| *timestamp *\| *message *\||\|[-|]+\|)$`)
	atype     = regexp.MustCompile(`^\{ *\\?["']atype\\?["'] *:`)
)

// noData is what Atlas sends in the place of a log that is empty.
const noData = "No data for given time period or host is unreachable"

// isText knows lines of text.
func isText(text []byte) float64 {
	switch {
	case headISO.Match(text):
		if headISO.FindSubmatch(text)[2] == nil {
			return 0.6
		}
		return 0.95
	case headCtime.Match(text):
		return 0.8
	case tableRow.Match(text):
		if row, ok := braced(text); ok && (bytes.Contains(row, []byte(`"atype"`)) || bytes.Contains(row, []byte(`"op"`)) && bytes.Contains(row, []byte(`"ns"`))) {
			return 0.95
		}
	case tableEdge.Match(text), string(text) == noData:
		return record.IsRecord
	default:
		if row, ok := braced(text); ok && len(text)-len(row) < 300 && atype.Match(row) {
			return 0.95
		}
	}
	return 0
}

// braced is the text from its first brace on.
func braced(text []byte) ([]byte, bool) {
	i := bytes.IndexByte(text, '{')
	if i > 0 && text[i-1] == '%' { // the carrier's placeholder: %{...}
		if n := bytes.IndexByte(text[i+1:], '{'); n >= 0 {
			i += n + 1
		}
	}
	if i < 0 {
		return nil, false
	}
	return text[i:], true
}

// text reads a line of text.
func (d *reader) text(r *record.Record, emit func(*vigil.Event)) error {
	iso, ct := headISO.FindSubmatchIndex(r.Text), headCtime.FindSubmatchIndex(r.Text)
	switch {
	case iso != nil:
		return d.legacy(r, iso, false, emit)
	case ct != nil:
		return d.legacy(r, ct, true, emit)
	case tableEdge.Match(r.Text), string(r.Text) == noData:
		return nil
	}
	row, _ := braced(r.Text)
	text := string(row)
	if strings.HasPrefix(strings.TrimLeft(text[1:], " "), `\"`) {
		text = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text)
	}
	if i := strings.LastIndexByte(text, '}'); i > 0 && json.Valid([]byte(text[:i+1])) {
		return d.json(r, gjson.Parse(text[:i+1]), emit)
	}
	doc, _, ok := document(text)
	v := gjson.Parse(doc)
	if !ok || v.Get("$truncated").Exists() {
		return formats.Errorf("json", "the document ends too early or can't be read")
	}
	return d.json(r, v, emit)
}

// ctimeYears is the last year in which servers wrote times without one: that of the last
// release of 4.2.
const ctimeYear = 2023

// ctime reads a time without a year: of the years in which the day falls on that weekday,
// the latest to ctimeYear.
func ctime(s string, zone *time.Location) (time.Time, bool) {
	day, rest, _ := strings.Cut(s, " ")
	for year := ctimeYear; year > ctimeYear-12; year-- {
		t, err := time.ParseInLocation("2006 Jan _2 15:04:05", strconv.Itoa(year)+" "+rest, zone)
		if err == nil && t.Weekday().String()[:3] == day {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

var (
	accepted   = regexp.MustCompile(`^connection accepted from (\S+) #(\d+) `)
	metadata   = regexp.MustCompile(`^received client metadata from (\S+) \S+: \{`)
	authOK     = regexp.MustCompile(`^Successfully authenticated as principal (.+) on (\S+?)(?: from client (\S+))?$`)
	authFailed = regexp.MustCompile(`^\S+ authentication failed for (.+) on (\S+) from client (\S+)(?: ; |$)`)
	authError  = regexp.MustCompile(`^Failed to authenticate (.+)@(\S+)(?: from client (\S+))? with mechanism `)
	authOld    = regexp.MustCompile(`^ ?authenticate db: (\S+) \{`)
	operation  = regexp.MustCompile(`^(command|query|find|getmore|insert|update|remove|count|distinct|aggregate) ([^\s"{]+) `)
)

// legacy reads a line of a server before 4.4.
func (d *reader) legacy(r *record.Record, head []int, noYear bool, emit func(*vigil.Event)) error {
	stamp, ctx, msg := string(r.Text[head[2]:head[3]]), string(r.Text[head[8]:head[9]]), string(r.Text[head[1]:])
	var at time.Time
	var ok bool
	if noYear {
		at, ok = ctime(stamp, d.zone)
	} else {
		at, ok = formats.Time(stamp, d.zone)
	}
	if !ok {
		return formats.ErrTime("the line's time")
	}
	l := line{r: r, at: at, ctx: r.Clean(ctx, 64)}
	if m := accepted.FindStringSubmatch(msg); m != nil {
		l.ctx = "conn" + m[2]
		d.conns.Put(l.key(), conn{IP: formats.Address(m[1])})
		return nil
	}
	if strings.HasPrefix(msg, "MongoDB starting : ") {
		d.conns.Clear()
		return nil
	}
	if !strings.HasPrefix(ctx, "conn") {
		return nil // the server's own work
	}
	switch {
	case strings.HasPrefix(msg, "end connection "):
		d.conns.Delete(l.key())
	case strings.HasPrefix(msg, "CMD: drop "):
		d.dropped(&l, r.Clean(msg[len("CMD: drop "):], 256), emit)
	case strings.HasPrefix(msg, "dropDatabase ") && strings.HasSuffix(msg, " starting"):
		db, _, _ := strings.Cut(msg[len("dropDatabase "):], " ")
		d.dropped(&l, r.Clean(db, 128), emit)
	case strings.HasPrefix(msg, "Unauthorized: not authorized on "):
		d.refused(&l, msg, msg, emit)
	case strings.HasPrefix(msg, "received client metadata from "):
		if m := metadata.FindStringSubmatchIndex(msg); m != nil {
			doc, _, _ := document(msg[m[1]-1:])
			v := gjson.Parse(doc)
			c := d.conn(&l)
			c.App = r.String(v.Get("application.name"), 128)
			c.Agent = strings.TrimSpace(r.String(v.Get("driver.name"), 128) + " " + r.String(v.Get("driver.version"), 64))
			if a := formats.Address(msg[m[2]:m[3]]); a != "" {
				c.IP = a
			}
			d.conns.Put(l.key(), c)
		}
	default:
		if d.signIn(&l, msg, emit) {
			return nil
		}
		if m := operation.FindStringSubmatchIndex(msg); m != nil {
			d.legacySlow(&l, msg[m[2]:m[3]], msg[m[4]:m[5]], msg[m[1]:], emit)
		}
	}
	return nil
}

// signIn reads what is said of authentication. A user's name is the client's to choose:
// the address in the text counts only where the connection's is not known.
func (d *reader) signIn(l *line, msg string, emit func(*vigil.Event)) bool {
	c := d.conn(l)
	login := func(user, db, remote string, out vigil.Outcome) bool {
		if c.IP != "" {
			remote = c.IP
		}
		d.login(l, l.r.Clean(user, 256), l.r.Clean(db, 128), remote, out, emit)
		return true
	}
	if m := authOK.FindStringSubmatch(msg); m != nil {
		return login(m[1], m[2], m[3], vigil.OutcomeSuccess)
	}
	for _, re := range []*regexp.Regexp{authFailed, authError} {
		if m := re.FindStringSubmatch(msg); m != nil {
			return login(m[1], m[2], m[3], vigil.OutcomeDenied)
		}
	}
	if m := authOld.FindStringSubmatchIndex(msg); m != nil { // 2.4 to 3.2 say that it begins
		doc, _, _ := document(msg[m[1]-1:])
		if user := gjson.Get(doc, "user").Str; user != "" {
			c.User = l.r.Clean(user, 256)
			d.conns.Put(l.key(), c)
		}
		return true
	}
	return false
}

// legacySlow reads a slow operation: what it is, its namespace, and then documents, quoted
// texts and counts, each behind its name and a colon.
func (d *reader) legacySlow(l *line, kind, ns, rest string, emit func(*vigil.Event)) {
	var doc, orig string
	var counts strings.Builder
	counts.WriteByte('{')
	app := ""
	whole := true
	for n := 0; rest != "" && n < 400; n++ {
		rest = strings.TrimLeft(rest, " ")
		key, after, found := strings.Cut(rest, ":")
		if sp := strings.IndexByte(rest, ' '); !found || sp >= 0 && sp < len(key) {
			// A word without a colon, such as the time it took.
			if sp < 0 {
				break
			}
			rest = rest[sp+1:]
			continue
		}
		value := strings.TrimLeft(after, " ")
		if i := strings.IndexAny(value, " {"); i > 0 && value[i] == ' ' && strings.HasPrefix(value[i+1:], "{") {
			value = value[i+1:] // command: find { find: ...
		}
		switch {
		case strings.HasPrefix(value, "{"):
			text, took, _ := document(value)
			if gjson.Get(text, "$truncated").Exists() {
				whole = false
			}
			switch key {
			case "command", "query":
				if doc == "" {
					doc = text
				}
			case "originatingCommand":
				orig = text
			}
			if took == 0 {
				took = 1
			}
			rest = value[took:]
			if !whole {
				// The text was cut in its middle; the counts stand at its end.
				if i := strings.LastIndex(rest, " .......... "); i >= 0 {
					rest = rest[i:]
				}
				whole = true
			}
		case strings.HasPrefix(value, `"`):
			p := &shell{text: value}
			s := p.quoted('"')
			if key == "appName" {
				app = l.r.Clean(s, 128)
			}
			rest = value[p.at:]
		default:
			i := strings.IndexByte(after, ' ')
			if strings.HasPrefix(after, " ") || i < 0 {
				i = len(after)
				if strings.HasPrefix(after, " ") { // planSummary: COLLSCAN, exception: text
					i = 0
				}
			}
			switch key {
			case "nreturned", "reslen", "ndeleted", "ninserted", "nModified", "nmodified", "nMatched", "nmatched", "code", "errCode", "ok":
				if num := after[:i]; num != "" && formats.Count(num) != vigil.Unknown {
					if counts.Len() > 1 {
						counts.WriteByte(',')
					}
					counts.WriteString(strconv.Quote(strings.NewReplacer("nmodified", "nModified", "nmatched", "nMatched").Replace(key)) + ":" + num)
				}
			case "exception":
				if counts.Len() > 1 {
					counts.WriteByte(',')
				}
				counts.WriteString(`"exception":true`)
			}
			rest = after[i:]
		}
	}
	counts.WriteByte('}')
	v := gjson.Parse(doc)
	if orig != "" && v.IsObject() {
		v = join(v, gjson.Parse(orig))
	}
	if kind == "query" && v.IsObject() && !v.Get("find").Exists() && !v.Get("filter").Exists() {
		v = gjson.Parse(`{"query":` + v.Raw + `}`) // the predicate itself
	}
	if (kind == "update" || kind == "remove" || kind == "getmore") && v.IsObject() && !v.Get("q").Exists() && !v.Get("getMore").Exists() {
		v = gjson.Parse(`{"q":` + v.Raw + `}`)
	}
	e := d.event(l, "")
	if app != "" {
		e.Actor.App = app
	}
	if kind == "command" || kind == "aggregate" || kind == "find" || kind == "count" || kind == "distinct" {
		kind = ""
	}
	if d.operation(l, e, kind, ns, v, gjson.Parse(counts.String())) {
		emit(e)
	}
}
