package otlp

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tidwall/gjson"
	"google.golang.org/protobuf/encoding/protowire"
)

// signal is what a request holds.
type signal string

const (
	signalLogs   signal = "logs"
	signalTraces signal = "traces"
)

// keys are the names of the lists in a request, from the outside in.
func (s signal) keys() (resources, scopes, records string) {
	if s == signalTraces {
		return "resourceSpans", "scopeSpans", "spans"
	}
	return "resourceLogs", "scopeLogs", "logRecords"
}

const (
	// maxRecords bounds the records of a request: an empty one has two bytes.
	maxRecords = 250_000
	// maxAround bounds a resource and a scope, as JSON, in bytes. Larger ones are left out.
	maxAround = 64 << 10
	// maxJSONDepth bounds how deep a record's JSON may be nested.
	maxJSONDepth = 112
)

// errTooMany is a request with too many records.
var errTooMany = fmt.Errorf("it has more than %d records", maxRecords)

// record is one record of a request.
type record struct {
	// resource and scope are what it is of, as JSON; they stay the same objects, with the
	// same number, for the records beside it.
	resource, scope             []byte
	resourceNumber, scopeNumber int
	// json is the record as OTLP's JSON, valid during the call only; nil when err says why
	// it can't be read. raw is it as it came.
	json, raw []byte
	err       error
}

// encoding is how a request is written.
type encoding interface {
	// check says whether the outside of a request can be read and how many records it
	// has; each gives the records of such a one.
	check(s signal, body []byte) (records int, err error)
	each(s signal, body []byte, take func(record))
}

// binary is OTLP as protobuf. The two signals have the same numbers on the outside.
type binary struct{ schema *schema }

// The numbers of fields outside records.
const (
	numberResources protowire.Number = 1 // of a request
	numberAround    protowire.Number = 1 // the resource or the scope of a list
	numberWithin    protowire.Number = 2 // the scopes of a resource, the records of a scope
)

// fieldsOf gives the message's parts with a number.
func fieldsOf(b []byte, n protowire.Number, take func(part []byte) error) error {
	for len(b) > 0 {
		number, wire, value, rest, err := next(b)
		if err != nil {
			return err
		}
		if number == n && wire == protowire.BytesType {
			if err := take(value); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}

func (binary) check(_ signal, body []byte) (records int, err error) {
	err = fieldsOf(body, numberResources, func(resource []byte) error {
		return fieldsOf(resource, numberWithin, func(scope []byte) error {
			return fieldsOf(scope, numberWithin, func([]byte) error {
				if records++; records > maxRecords {
					return errTooMany
				}
				return nil
			})
		})
	})
	return records, err
}

func (d binary) each(s signal, body []byte, take func(record)) {
	kind := d.schema.log
	if s == signalTraces {
		kind = d.schema.span
	}
	var r record
	var buf []byte
	// check has found the outside to be sound: there are no errors left in it.
	_ = fieldsOf(body, numberResources, func(resource []byte) error {
		r.resource, r.resourceNumber = d.around(d.schema.resource, resource), r.resourceNumber+1
		return fieldsOf(resource, numberWithin, func(scope []byte) error {
			r.scope, r.scopeNumber = d.around(d.schema.scope, scope), r.scopeNumber+1
			return fieldsOf(scope, numberWithin, func(raw []byte) error {
				r.raw, r.json, r.err = raw, nil, nil
				if len(raw) <= maxWhole {
					if buf, r.err = kind.appendJSON(buf[:0], raw, 0); r.err == nil {
						r.json = buf
					}
				} else {
					r.err = errLarge(len(raw), maxWhole)
				}
				take(r)
				return nil
			})
		})
	})
}

// around reads the resource or the scope of a list; what can't be read is left out.
func (d binary) around(m *message, list []byte) []byte {
	var out []byte
	err := fieldsOf(list, numberAround, func(b []byte) (err error) {
		if len(b) > maxAround {
			return errDeep
		}
		out, err = m.appendJSON(out[:0], b, 0)
		return err
	})
	if err != nil || len(out) > maxAround {
		return nil
	}
	return out
}

// text is OTLP as JSON.
type text struct{}

var errJSON = errors.New("it is no JSON of OTLP")

func (text) check(s signal, body []byte) (records int, err error) {
	if !json.Valid(body) {
		return 0, errJSON
	}
	doc := gjson.ParseBytes(body)
	resources, scopes, list := s.keys()
	if !doc.IsObject() || doc.Get(resources).Exists() && !doc.Get(resources).IsArray() {
		return 0, errJSON
	}
	doc.Get(resources).ForEach(func(_, resource gjson.Result) bool {
		resource.Get(scopes).ForEach(func(_, scope gjson.Result) bool {
			scope.Get(list).ForEach(func(_, _ gjson.Result) bool {
				records++
				return records <= maxRecords
			})
			return records <= maxRecords
		})
		return records <= maxRecords
	})
	if records > maxRecords {
		return records, errTooMany
	}
	return records, nil
}

func (text) each(s signal, body []byte, take func(record)) {
	resources, scopes, list := s.keys()
	var r record
	gjson.GetBytes(body, resources).ForEach(func(_, resource gjson.Result) bool {
		r.resource, r.resourceNumber = aroundText(resource.Get("resource")), r.resourceNumber+1
		resource.Get(scopes).ForEach(func(_, scope gjson.Result) bool {
			r.scope, r.scopeNumber = aroundText(scope.Get("scope")), r.scopeNumber+1
			scope.Get(list).ForEach(func(_, one gjson.Result) bool {
				r.raw, r.json, r.err = []byte(one.Raw), nil, nil
				switch {
				case !one.IsObject():
					r.err = errors.New("it is no object")
				case len(one.Raw) > maxWhole:
					r.err = errLarge(len(one.Raw), maxWhole)
				case depth(r.raw) > maxJSONDepth:
					r.err = fmt.Errorf("its JSON is nested more than %d levels deep", maxJSONDepth)
				default:
					r.json = r.raw
				}
				take(r)
				return true
			})
			return true
		})
		return true
	})
}

func aroundText(v gjson.Result) []byte {
	if !v.IsObject() || len(v.Raw) > maxAround || depth([]byte(v.Raw)) > maxJSONDepth {
		return nil
	}
	return []byte(v.Raw)
}

// depth is how deep JSON that is well-formed is nested.
func depth(text []byte) int {
	most, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			most = max(most, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return most
}

// errTooLong is a record with too many bytes.
var errTooLong = errors.New("leave long attributes out in the exporter or the Collector")

func errLarge(size, most int) error {
	return fmt.Errorf("it has %d bytes, at most %d are read: %w", size, most, errTooLong)
}
