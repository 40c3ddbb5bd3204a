package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/tidwall/gjson"
	"google.golang.org/protobuf/encoding/protowire"
)

// maxNesting bounds how deep the values of attributes and bodies may lie in each other.
// A record nested deeper is set aside.
const maxNesting = 24

var (
	errWire = errors.New("it is no protobuf of OTLP")
	errDeep = fmt.Errorf("its values are nested more than %d levels deep", maxNesting)
)

// kind is how a field's value is written in OTLP's JSON, which is protobuf's but for ids
// (hexadecimal rather than base64) and enums (numbers alone).
type kind uint8

const (
	kindText kind = iota
	kindHex
	kindBase64
	kindVarint // uint32 and enums: a number
	kindInt64  // a string, as JSON's numbers don't hold it
	kindBool
	kindFixed32
	kindFixed64 // a string too
	kindDouble
	kindMessage
)

func (k kind) wire() protowire.Type {
	switch k {
	case kindVarint, kindInt64, kindBool:
		return protowire.VarintType
	case kindFixed32:
		return protowire.Fixed32Type
	case kindFixed64, kindDouble:
		return protowire.Fixed64Type
	}
	return protowire.BytesType
}

// field is one of a message; the zero field is none.
type field struct {
	name     string
	kind     kind
	repeated bool
	message  *message
}

// maxFields is above every number of a field.
const maxFields = 18

// message says what fields a message has, by their numbers.
type message struct {
	fields [maxFields]field
	// oneOf says that of the fields the last that is given holds.
	oneOf bool
	// nests says that messages of this sort may lie in each other.
	nests bool
}

// schema are the messages of OTLP 1 (opentelemetry-proto 1.11) that are read.
type schema struct{ resource, scope, span, log *message }

// newSchema makes it. Fields that are not here are left out, as those of later versions.
func newSchema() *schema {
	value, array, list, pair := &message{oneOf: true, nests: true}, &message{}, &message{}, &message{}
	value.fields = [maxFields]field{
		1: {name: "stringValue"}, 2: {name: "boolValue", kind: kindBool}, 3: {name: "intValue", kind: kindInt64},
		4: {name: "doubleValue", kind: kindDouble}, 5: {name: "arrayValue", kind: kindMessage, message: array},
		6: {name: "kvlistValue", kind: kindMessage, message: list}, 7: {name: "bytesValue", kind: kindBase64},
	}
	array.fields = [maxFields]field{1: {name: "values", kind: kindMessage, repeated: true, message: value}}
	list.fields = [maxFields]field{1: {name: "values", kind: kindMessage, repeated: true, message: pair}}
	pair.fields = [maxFields]field{1: {name: "key"}, 2: {name: "value", kind: kindMessage, message: value}}
	attributes := field{name: "attributes", kind: kindMessage, repeated: true, message: pair}
	number := func(name string) field { return field{name: name, kind: kindVarint} }
	event := &message{fields: [maxFields]field{
		1: {name: "timeUnixNano", kind: kindFixed64}, 2: {name: "name"}, 3: attributes, 4: number("droppedAttributesCount"),
	}}
	link := &message{fields: [maxFields]field{
		1: {name: "traceId", kind: kindHex}, 2: {name: "spanId", kind: kindHex}, 3: {name: "traceState"}, 4: attributes,
		5: number("droppedAttributesCount"), 6: {name: "flags", kind: kindFixed32},
	}}
	state := &message{fields: [maxFields]field{2: {name: "message"}, 3: number("code")}}
	return &schema{
		resource: &message{fields: [maxFields]field{1: attributes, 2: number("droppedAttributesCount")}},
		scope: &message{fields: [maxFields]field{
			1: {name: "name"}, 2: {name: "version"}, 3: attributes, 4: number("droppedAttributesCount"),
		}},
		span: &message{fields: [maxFields]field{
			1: {name: "traceId", kind: kindHex}, 2: {name: "spanId", kind: kindHex}, 3: {name: "traceState"},
			4: {name: "parentSpanId", kind: kindHex}, 5: {name: "name"}, 6: number("kind"),
			7: {name: "startTimeUnixNano", kind: kindFixed64}, 8: {name: "endTimeUnixNano", kind: kindFixed64}, 9: attributes,
			10: number("droppedAttributesCount"), 11: {name: "events", kind: kindMessage, repeated: true, message: event},
			12: number("droppedEventsCount"), 13: {name: "links", kind: kindMessage, repeated: true, message: link},
			14: number("droppedLinksCount"), 15: {name: "status", kind: kindMessage, message: state},
			16: {name: "flags", kind: kindFixed32},
		}},
		log: &message{fields: [maxFields]field{
			1: {name: "timeUnixNano", kind: kindFixed64}, 2: number("severityNumber"), 3: {name: "severityText"},
			5: {name: "body", kind: kindMessage, message: value}, 6: attributes, 7: number("droppedAttributesCount"),
			8: {name: "flags", kind: kindFixed32}, 9: {name: "traceId", kind: kindHex}, 10: {name: "spanId", kind: kindHex},
			11: {name: "observedTimeUnixNano", kind: kindFixed64}, 12: {name: "eventName"},
		}},
	}
}

// next takes the field at the start of b. value is what is in it, without its length.
func next(b []byte) (number protowire.Number, wire protowire.Type, value, rest []byte, err error) {
	number, wire, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, 0, nil, nil, errWire
	}
	b = b[n:]
	if wire == protowire.BytesType {
		value, n = protowire.ConsumeBytes(b)
	} else if n = protowire.ConsumeFieldValue(number, wire, b); n >= 0 {
		value = b[:n]
	}
	if n < 0 {
		return 0, 0, nil, nil, errWire
	}
	return number, wire, value, b[n:], nil
}

// appendJSON writes the message in b as an object. The same bytes make the same text, in
// whatever version: ids are made of it.
func (m *message) appendJSON(out, b []byte, depth int) ([]byte, error) {
	if m.nests {
		if depth++; depth > maxNesting {
			return out, errDeep
		}
	}
	// Where each field is given first, and the last value of it. Elements of a list mostly
	// follow each other, but need not.
	var first, last [maxFields][]byte
	var chosen protowire.Number
	for at := b; len(at) > 0; {
		number, wire, value, rest, err := next(at)
		if err != nil {
			return out, err
		}
		if m.has(number, wire) {
			if first[number] == nil {
				first[number] = at
			}
			last[number], chosen = value[:len(value):len(value)], number
			if last[number] == nil {
				last[number] = []byte{}
			}
		}
		at = rest
	}
	out = append(out, '{')
	size := len(out)
	for n := range m.fields {
		f := &m.fields[n]
		if first[n] == nil || m.oneOf && protowire.Number(n) != chosen {
			continue
		}
		if len(out) > size {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), f.name...), '"', ':')
		var err error
		if f.repeated {
			out, err = f.appendList(out, first[n], protowire.Number(n), depth)
		} else {
			out, err = f.append(out, last[n], depth)
		}
		if err != nil {
			return out, err
		}
	}
	return append(out, '}'), nil
}

// has says that the message has the field; one of another type than it should be is
// passed over, as protobuf has it.
func (m *message) has(n protowire.Number, wire protowire.Type) bool {
	return n < maxFields && m.fields[n].name != "" && m.fields[n].kind.wire() == wire
}

// appendList writes the elements with that number in b.
func (f *field) appendList(out, b []byte, n protowire.Number, depth int) ([]byte, error) {
	out = append(out, '[')
	size := len(out)
	for len(b) > 0 {
		number, wire, value, rest, err := next(b)
		if err != nil {
			return out, err
		}
		b = rest
		if number != n || wire != f.kind.wire() {
			continue
		}
		if len(out) > size {
			out = append(out, ',')
		}
		if out, err = f.append(out, value, depth); err != nil {
			return out, err
		}
	}
	return append(out, ']'), nil
}

// append writes one value. Text that is not UTF-8 gets U+FFFD in its place.
func (f *field) append(out, b []byte, depth int) ([]byte, error) {
	switch f.kind {
	case kindMessage:
		return f.message.appendJSON(out, b, depth)
	case kindText:
		return gjson.AppendJSONString(out, string(b)), nil
	case kindHex:
		return append(hex.AppendEncode(append(out, '"'), b), '"'), nil
	case kindBase64:
		return append(base64.StdEncoding.AppendEncode(append(out, '"'), b), '"'), nil
	case kindFixed32:
		v, _ := protowire.ConsumeFixed32(b)
		return strconv.AppendUint(out, uint64(v), 10), nil
	case kindFixed64:
		v, _ := protowire.ConsumeFixed64(b)
		return append(strconv.AppendUint(append(out, '"'), v, 10), '"'), nil
	case kindDouble:
		v, _ := protowire.ConsumeFixed64(b)
		return appendDouble(out, math.Float64frombits(v)), nil
	}
	v, _ := protowire.ConsumeVarint(b)
	switch f.kind {
	case kindBool:
		return strconv.AppendBool(out, v != 0), nil
	case kindInt64:
		return append(strconv.AppendInt(append(out, '"'), int64(v), 10), '"'), nil
	}
	return strconv.AppendUint(out, v&math.MaxUint32, 10), nil
}

func appendDouble(out []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(out, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(out, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(out, `"-Infinity"`...)
	}
	return strconv.AppendFloat(out, v, 'g', -1, 64)
}
