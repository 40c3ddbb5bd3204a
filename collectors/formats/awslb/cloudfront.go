package awslb

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// column is one of CloudFront's.
type column struct {
	name  string
	field web.Field
}

// maxColumns bounds the columns of a line.
const maxColumns = 256

// fieldsOf are the columns that count. The date, the time and the request's id are dealt
// with apart.
var fieldsOf = map[string]web.Field{
	"c-ip": web.FieldAddress, "x-forwarded-for": web.FieldForwarded, "timestamp": web.FieldMsec, "timestamp(ms)": web.FieldMsec,
	"cs-method": web.FieldMethod, "cs-uri-stem": web.FieldURI, "cs-uri-query": web.FieldArgs, "sc-status": web.FieldStatus,
	"sc-bytes": web.FieldBytes, "sc-content-len": web.FieldBodyBytes, "cs(User-Agent)": web.FieldUserAgent, "cs-user-agent": web.FieldUserAgent,
	"cs(Host)": web.FieldServerName, "x-host-header": web.FieldServerName, "cs-host": web.FieldServerName,
}

// columnsOf makes columns of their names. There must be a time, an address and a path.
func columnsOf(names []string) (columns []column, err error) {
	has := map[web.Field]bool{}
	date := false
	for _, n := range names {
		n = strings.TrimSpace(n)
		c := column{n, fieldsOf[n]}
		// Seen from outside; the distribution's own name only where that is all there is.
		if c.field == web.FieldBodyBytes && has[web.FieldBytes] || c.field == web.FieldServerName && has[web.FieldServerName] && n != "x-host-header" {
			c.field = web.FieldNone
		}
		has[c.field] = true
		date = date || n == "date" || c.field == web.FieldMsec
		columns = append(columns, c)
	}
	if len(columns) > maxColumns || !date || !has[web.FieldURI] {
		return nil, fmt.Errorf("CloudFront's columns must be at most %d and have the time (date and time, or timestamp) and cs-uri-stem among them", maxColumns)
	}
	return columns, nil
}

// standard are the columns of CloudFront's standard logs in their order ("Standard
// logging reference").
var standard = func() []column {
	c, err := columnsOf(strings.Fields("date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) " +
		"cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher " +
		"x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type " +
		"sc-content-type sc-content-len sc-range-start sc-range-end"))
	if err != nil {
		panic(err)
	}
	return c
}()

// header takes the columns from the file's head.
func (r *reader) header(s string) error {
	list, ok := strings.CutPrefix(s, "#Fields:")
	if !ok || r.told {
		return nil
	}
	columns, err := columnsOf(strings.Fields(list))
	if err != nil {
		return formats.Errorf("format", "%v", err)
	}
	r.columns = columns
	return nil
}

// cloudFront reads a line of columns.
func (r *reader) cloudFront(rec *record.Record, s string, emit func(*vigil.Event)) error {
	l := edgeLine{}
	n := 0
	for v := range strings.SplitSeq(s, "\t") {
		if n >= len(r.columns) {
			break
		}
		l.set(r.columns[n], v)
		n++
	}
	if n < min(len(r.columns), 12) {
		return errCut("CloudFront")
	}
	return r.edge(rec, &l, emit)
}

// cloudFrontJSON reads a line with the columns' names as keys.
func (r *reader) cloudFrontJSON(rec *record.Record, emit func(*vigil.Event)) error {
	l := edgeLine{}
	rec.JSON.ForEach(func(key, v gjson.Result) bool {
		if f := fieldsOf[key.Str]; f != web.FieldServerName || !l.f.Has(f) || key.Str == "x-host-header" {
			l.set(column{key.Str, f}, v.String())
		}
		return true
	})
	return r.edge(rec, &l, emit)
}

// edgeLine is what CloudFront tells of one request.
type edgeLine struct {
	f              web.Fields
	date, time, id string
}

func (l *edgeLine) set(c column, v string) {
	if v == "-" {
		v = ""
	}
	switch c.name {
	case "date":
		l.date = v
	case "time":
		l.time = v
	case "x-edge-request-id":
		l.id = v
	}
	if c.field == web.FieldUserAgent {
		// Written with escapes, once or twice.
		for range 2 {
			if plain, err := url.PathUnescape(v); err == nil {
				v = plain
			}
		}
	}
	if v != "" {
		l.f.Set(c.field, v)
	}
}

func (r *reader) edge(rec *record.Record, l *edgeLine, emit func(*vigil.Event)) error {
	if l.date != "" && !l.f.Has(web.FieldMsec) {
		l.f.Set(web.FieldTimeISO, l.date+"T"+l.time+"Z")
	}
	e, err := r.fill(rec, &l.f)
	if err != nil {
		return err
	}
	e.ID = strings.Clone(formats.Clean(l.id, 128))
	emit(e)
	return nil
}
