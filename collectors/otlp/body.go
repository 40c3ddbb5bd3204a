package otlp

import (
	"encoding/base64"
	"strings"

	"github.com/tidwall/gjson"
)

// bodyOf is the body of a log record as a message: text as it is, and a map, a list or
// another value as plain JSON. nil when there is none.
func bodyOf(record gjson.Result) []byte {
	body := record.Get("body")
	var out []byte
	body.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "stringValue":
			out = []byte(value.String())
		case "bytesValue":
			if raw, err := base64.StdEncoding.DecodeString(value.String()); err == nil {
				out = raw
			}
		default:
			out = appendPlain(nil, body)
		}
		return false
	})
	return out
}

// appendPlain writes a value of OTLP as plain JSON.
func appendPlain(out []byte, v gjson.Result) []byte {
	size := len(out)
	v.ForEach(func(key, value gjson.Result) bool { // one alone
		switch key.Str {
		case "stringValue", "bytesValue":
			out = gjson.AppendJSONString(out, value.String())
		case "boolValue":
			if value.Type == gjson.True {
				out = append(out, "true"...)
			} else {
				out = append(out, "false"...)
			}
		case "intValue", "doubleValue":
			out = appendNumber(out, value)
		case "arrayValue":
			out = append(out, '[')
			start := len(out)
			value.Get("values").ForEach(func(_, one gjson.Result) bool {
				if len(out) > start {
					out = append(out, ',')
				}
				out = appendPlain(out, one)
				return true
			})
			out = append(out, ']')
		case "kvlistValue":
			out = append(out, '{')
			start := len(out)
			value.Get("values").ForEach(func(_, pair gjson.Result) bool {
				if len(out) > start {
					out = append(out, ',')
				}
				out = append(gjson.AppendJSONString(out, pair.Get("key").String()), ':')
				out = appendPlain(out, pair.Get("value"))
				return true
			})
			out = append(out, '}')
		}
		return false
	})
	if len(out) == size {
		out = append(out, "null"...)
	}
	return out
}

// appendNumber writes a number, which JSON of OTLP may hold as text; text that is none
// stays text.
func appendNumber(out []byte, v gjson.Result) []byte {
	if v.Type == gjson.Number {
		return append(out, v.Raw...)
	}
	if s := v.String(); gjson.Valid(s) && strings.Trim(s, "-+.0123456789eE") == "" && s != "" {
		return append(out, s...)
	}
	return gjson.AppendJSONString(out, v.String())
}
