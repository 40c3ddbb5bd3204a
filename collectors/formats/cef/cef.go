// Package cef reads the Common Event Format of ArcSight, in which many devices and
// applications report, alone or behind a syslog header. What names no user, no request
// and no file (a firewall's packets, a device's own state) is no access. Free text
// (msg, custom strings) is not kept.
package cef

import (
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

const sure = 0.97

// Format returns the format.
func Format() formats.Format {
	params := map[string]string{web.ParamTimezone: "where times without a zone are meant, such as Europe/Berlin"}
	return record.New(record.Spec{
		Name: "cef",
		Tells: formats.Tells{
			Title: "Common Event Format (ArcSight), of many devices and applications", Group: formats.GroupAny,
			Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Partly,
			Note: "How much is told depends on the device that reports.",
		},
		Text: func(line []byte) float64 {
			if start(line) >= 0 {
				return sure
			}
			return 0
		},
		Params: params,
		New: func(opts formats.Options) (record.Reader, error) {
			w, err := web.New(opts)
			return &reader{web: w}, err
		},
	})
}

// maxHeader bounds what stands before the record, in bytes.
const maxHeader = 256

// start finds where the record begins: CEF: and a version, behind nothing or a header.
func start(line []byte) int {
	s := string(line[:min(len(line), maxHeader)])
	i := strings.Index(s, "CEF:")
	if i < 0 || i > 0 && s[i-1] != ' ' || len(s) < i+6 || s[i+4] < '0' || s[i+4] > '9' || strings.IndexByte(s[:i], '{') >= 0 {
		return -1
	}
	if rest := strings.TrimLeft(s[i+4:], "0123456789."); rest == "" || rest[0] != '|' {
		return -1
	}
	return i
}

type reader struct {
	web    *web.Interpreter
	fields web.Fields
}

// Read reads a record.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	at := start(rec.Text)
	head, ext, ok := parse(string(rec.Text[at:]))
	if !ok {
		return formats.Errorf("format", "the header has fewer than seven fields between bars")
	}
	user := first(ext, "suser", "sourceUserName", "suid", "sourceUserId", "duser", "destinationUserName", "duid", "destinationUserId")
	file := first(ext, "filePath", "fname", "fileName")
	url := first(ext, "request", "requestUrl")
	if user == "" && file == "" && url == "" {
		return nil
	}
	e := rec.Event()
	if e.Time, ok = r.time(ext, string(rec.Text[:at]), rec.Carrier.Time); !ok {
		return formats.Errorf("time", "there is no time with a year: rt, end or start, or that of the syslog header (RFC 5424)")
	}
	if e.Store == "" {
		e.Store = rec.Clean(head.product, 128)
	}
	e.IP = formats.Address(first(ext, "src", "sourceAddress", "c6a2"))
	e.UserAgent = rec.Clean(first(ext, "requestClientApplication"), 512)
	e.Actor.App = rec.Clean(first(ext, "sproc", "sourceProcessName"), 128)
	e.Bytes = bytes(ext)
	r.what(rec, e, head, ext, url, file)
	if e.Outcome = outcome(first(ext, "outcome", "eventOutcome")); e.Outcome == vigil.OutcomeUnspecified {
		e.Outcome = outcome(first(ext, "act", "deviceAction"))
	}
	switch user = rec.Clean(user, 256); {
	case user != "":
		e.Actor.ID = user
	case e.IP != "":
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	default:
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
	}
	emit(e)
	return nil
}

// what fills in action, resource and shape.
func (r *reader) what(rec *record.Record, e *vigil.Event, head header, ext map[string]string, url, file string) {
	verb := vigil.ActionOther
	for _, s := range [...]string{head.name, first(ext, "act", "deviceAction"), first(ext, "cat", "deviceEventCategory")} {
		if verb == vigil.ActionOther {
			verb = formats.Verb(s)
		}
		if verb == vigil.ActionOther && strings.Contains(strings.ToLower(s), "authentication") {
			verb = vigil.ActionLogin
		}
	}
	if url != "" {
		f := &r.fields
		f.Reset()
		method := strings.ToUpper(first(ext, "requestMethod", "method"))
		if method == "" {
			method = "GET"
		}
		f.Set(web.FieldMethod, method)
		f.Set(web.FieldURI, url)
		r.web.Request(e, f)
		return
	}
	e.Action = verb
	e.Resource = rec.Clean(file, 256)
	e.Shape = rec.Clean(head.name, 128)
}

// times are the keys that hold one, the best first.
var times = []string{"rt", "deviceReceiptTime", "end", "endTime", "start", "startTime"}

// layouts are CEF's ways to write a time.
var layouts = []string{
	"Jan _2 2006 15:04:05.000 MST", "Jan _2 2006 15:04:05 MST", "Jan _2 2006 15:04:05.000", "Jan _2 2006 15:04:05",
	"Jan _2 2006 15:04:05.000 -0700", "Jan _2 2006 15:04:05 -0700",
}

func (r *reader) time(ext map[string]string, before string, carrier time.Time) (time.Time, bool) {
	zone := r.web.Times.Zone
	if z, err := time.LoadLocation(first(ext, "dtz", "deviceTimeZone")); zone == nil && err == nil && first(ext, "dtz", "deviceTimeZone") != "" {
		zone = z
	}
	if zone == nil {
		zone = time.UTC
	}
	for _, key := range times {
		s := ext[key]
		if s == "" {
			continue
		}
		if at, ok := formats.Time(s, zone); ok {
			return at, true
		}
		for _, l := range layouts {
			if at, err := time.ParseInLocation(l, s, zone); err == nil {
				return at.UTC(), true
			}
		}
	}
	for word := range strings.FieldsSeq(before) {
		if i := strings.IndexByte(word, '>'); i > 0 {
			word = word[i+1:]
		}
		if len(word) > 18 {
			if at, err := time.Parse(time.RFC3339Nano, word); err == nil {
				return at.UTC(), true
			}
		}
	}
	return carrier.UTC(), !carrier.IsZero()
}

// bytes is what went back to the source.
func bytes(ext map[string]string) int64 {
	if s := first(ext, "out", "bytesOut"); s != "" {
		return formats.Count(s)
	}
	return formats.Count(first(ext, "fsize", "fileSize"))
}

// outcome reads the words that devices use for it.
func outcome(s string) vigil.Outcome {
	s = strings.ToLower(s)
	switch {
	case s == "":
		return vigil.OutcomeUnspecified
	case strings.HasPrefix(s, "not "), strings.HasPrefix(s, "succe"), strings.HasPrefix(s, "/succe"), strings.HasPrefix(s, "allow"), strings.HasPrefix(s, "permit"), strings.HasPrefix(s, "accept"), s == "ok":
		return vigil.OutcomeSuccess
	case strings.HasPrefix(s, "fail"), strings.HasPrefix(s, "/fail"), strings.HasPrefix(s, "error"):
		return vigil.OutcomeError
	}
	for _, word := range [...]string{"block", "den", "drop", "refuse", "reject", "discard", "forbid"} {
		if strings.HasPrefix(s, word) {
			return vigil.OutcomeDenied
		}
	}
	return vigil.OutcomeUnspecified
}

func first(ext map[string]string, keys ...string) string {
	for _, k := range keys {
		if v := ext[k]; v != "" && v != "-" {
			return v
		}
	}
	return ""
}
