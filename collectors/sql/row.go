package sqltable

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxText is how many characters of a text are asked for, and how many bytes are kept.
	maxText = 16 << 10
	// maxJSON bounds a JSON value, in bytes: a larger one is left out, since half of one
	// is none.
	maxJSON = 256 << 10
	// placeBits is how many bits of a place in a stream count: see decode.Stream.Message.
	placeBits = 43
)

// kind is what a column holds, as far as writing it as JSON goes.
type kind int

const (
	kindText kind = iota
	kindInteger
	kindNumber
	kindBool
	kindTime  // with a zone, in UTC
	kindLocal // a reading of a clock, of which the zone is not told
	kindDate
	kindUUID
	kindShort // an address, a time of day: as the database writes it
	kindJSON
	kindArray
	kindBinary
)

// column is a column of a table or query.
type column struct {
	name string
	kind kind
	// typ is the type's name, for messages.
	typ string
}

// row is one row: its cursor as the database writes it, itself as JSON, and where it
// stands in the stream.
type row struct {
	cursor string
	json   []byte
	place  int64
	hash   uint64
}

// appendObject writes a row as a JSON object. values are the database's text forms, nil
// for NULL.
func appendObject(dst []byte, columns []column, values [][]byte, zone *time.Location) []byte {
	dst = append(dst, '{')
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, c.name)
		dst = append(dst, ':')
		dst = appendValue(dst, c.kind, values[i], zone)
	}
	return append(dst, '}')
}

func appendValue(dst []byte, k kind, value []byte, zone *time.Location) []byte {
	if value == nil {
		return append(dst, "null"...)
	}
	switch k {
	case kindInteger, kindNumber:
		if jsontext.Value(value).IsValid() && (value[0] == '-' || value[0] >= '0' && value[0] <= '9') {
			return append(dst, value...)
		}
	case kindBool:
		switch string(value) {
		case "t", "true", "1":
			return append(dst, "true"...)
		case "f", "false", "0":
			return append(dst, "false"...)
		}
	case kindTime, kindLocal:
		if out, ok := appendTime(dst, k, value, zone); ok {
			return out
		}
	case kindJSON, kindArray:
		if len(value) > maxJSON {
			return append(dst, "null"...)
		}
		var b bytes.Buffer
		if json.Compact(&b, value) == nil {
			return append(dst, b.Bytes()...)
		}
	}
	return appendText(dst, cut(string(value)))
}

// appendText writes a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendText(dst []byte, s string) []byte {
	out, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		out, _ = jsontext.AppendQuote(dst, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return out
}

// cut bounds a text between characters.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// appendTime writes a time as RFC 3339. What has no such form (infinity, year 0) is not
// written.
func appendTime(dst []byte, k kind, value []byte, zone *time.Location) ([]byte, bool) {
	at, ok := parseTime(k, string(value), zone)
	if !ok {
		return dst, false
	}
	dst = append(dst, '"')
	dst = at.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"'), true
}

// parseTime reads a time as the databases write it in our sessions, whose zone is UTC.
func parseTime(k kind, value string, zone *time.Location) (time.Time, bool) {
	if k == kindTime || zone == nil {
		zone = time.UTC
	}
	if k == kindTime {
		value = strings.TrimSuffix(value, "+00")
	}
	layout := "2006-01-02 15:04:05"
	if k == kindDate {
		layout = time.DateOnly
	}
	at, err := time.ParseInLocation(layout, value, zone)
	return at, err == nil
}

// newRow makes a row out of its values, of which the first is the cursor, and the last
// few are the key's.
func newRow(columns []column, values [][]byte, keys int, zone *time.Location) row {
	r := row{cursor: string(values[0])}
	shown := values[1 : 1+len(columns)]
	r.json = appendObject(make([]byte, 0, 256), columns, shown, zone)
	h := xxhash.New()
	write := func(b []byte) {
		_, _ = h.Write(b)
		_, _ = h.Write([]byte{0xff}) // in no text: two values do not run together
	}
	write(values[0])
	for _, v := range values[len(values)-keys:] {
		write(v)
	}
	r.place = int64(h.Sum64() & (1<<placeBits - 1))
	write(r.json)
	r.hash = h.Sum64()
	return r
}
