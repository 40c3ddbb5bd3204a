package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/formats/native"
)

// Explanation is how a piece of a log was understood.
type Explanation struct {
	// Format is the one that it was read as; Sure how sure vigil is, 0 to 1; Next is the
	// second best, empty for none.
	Format   string
	Sure     float64
	Next     string
	NextSure float64
	// Events are what came of it, none for what is no access.
	Events []ExplainedEvent
	// Problems say what could not be read.
	Problems []string
}

// ExplainedEvent is one event, field by field in the order of the native form.
type ExplainedEvent struct{ Fields []ExplainedField }

// ExplainedField is a field of an event: its name and value in the native form, what it
// means, and where in the record the value stands, empty where it was made of several
// things or stands nowhere as it is.
type ExplainedField struct{ Name, Value, Meaning, From string }

// fieldMeanings says what the fields are, for a person.
var fieldMeanings = map[string]string{
	"time": "when it happened", "id": "the record's own id, by which it counts once", "source": "the source it came through",
	"actor": "who did it", "actor_kind": "what kind of actor that is", "role": "the actor's role", "team": "the actor's team",
	"tenant": "the organisation the actor belongs to", "app": "the program it was done with", "principal": "on whose behalf it was done",
	"session": "the session", "conversation": "the chat", "action": "what was done", "store": "the system that holds the data",
	"resource": "what was reached", "resource_class": "how sensitive that is", "resource_tenant": "whose organisation's data it is",
	"subjects": "whose data was touched", "subject_count": "how many customers that were", "rows": "how many records came back",
	"bytes": "how much came back", "limit": "how many were asked for", "fields": "the columns or attributes", "unbounded": "everything, without a condition",
	"ticket": "the ticket that it names", "purpose": "the purpose that it names", "ip": "from which address", "network": "from which network",
	"country": "from which country", "asn": "from which provider's network", "user_agent": "with what client", "outcome": "how it ended",
	"shape": "the kind of query or call, without its values", "destination": "where the data went",
}

// Explain reads a text, one record or a few, as in does, and says how it was
// understood; first asks for the record that begins in the first line alone, whatever
// follows it. The error says that no format fits.
func Explain(in *Input, text []byte, first bool) (*Explanation, error) {
	sample := text[:min(len(text), formats.MaxSample)]
	out := &Explanation{}
	var chosen formats.Format
	if in.Format != "" {
		f, err := catalog.ByName(in.Format)
		if err != nil {
			return nil, err
		}
		chosen, out.Sure = f, f.Detect(sample)
	} else {
		for _, f := range catalog.All() {
			switch sure := f.Detect(sample); {
			case sure > out.Sure:
				if chosen != nil {
					out.Next, out.NextSure = chosen.Name(), out.Sure
				}
				chosen, out.Sure = f, sure
			case sure > out.NextSure:
				out.Next, out.NextSure = f.Name(), sure
			}
		}
		if _, _, err := catalog.Detect(sample); err != nil {
			return nil, err
		}
	}
	out.Format = chosen.Name()
	dec, err := chosen.New(formats.Options{Source: in.Source, Store: in.Store, File: "input", Sample: sample, Params: in.Params[out.Format], Mapping: in.Mapping})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", out.Format, err)
	}
	number := int64(1)
	emit := func(e *vigil.Event, from formats.Line) {
		if !first || from.Number == 1 {
			out.Events = append(out.Events, explained(e, text))
		}
	}
	problem := func(err error) {
		if !first || number == 1 {
			out.Problems = append(out.Problems, problemsOf(err)...)
		}
	}
	eachLine(dec, text, func(line formats.Line) bool {
		number = line.Number
		problem(dec.Decode(line, emit))
		return !first || len(out.Events)+len(out.Problems) == 0
	})
	if len(out.Events) == 0 || !first {
		problem(dec.Flush(emit))
	}
	return out, nil
}

// eachLine cuts a text that is held as a whole as collectors do for dec, until give
// returns false. Lines too long for dec are left out.
func eachLine(dec formats.Decoder, text []byte, give func(formats.Line) bool) {
	pieces := formats.TakesPieces(dec)
	for rest, number := text, int64(1); len(rest) > 0; number++ {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		at := int64(len(text) - len(rest))
		for pieces && len(line) > formats.MaxPiece {
			if !give(formats.Line{Text: line[:formats.MaxPiece], Offset: at, Number: number, More: true}) {
				return
			}
			line, at = line[formats.MaxPiece:], at+formats.MaxPiece
		}
		if len(line) <= formats.MaxLine && !give(formats.Line{Text: bytes.TrimSuffix(line, []byte{'\r'}), Offset: at, Number: number}) {
			return
		}
		rest = after
	}
}

// problemsOf lists the errors in one, none for nil.
func problemsOf(err error) (all []string) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, problemsOf(e)...)
		}
		return all
	}
	var fe *formats.Error
	if errors.As(err, &fe) && fe.Line.Number > 0 {
		return []string{fmt.Sprintf("line %d: %s", fe.Line.Number, fe.Reason)}
	}
	return []string{err.Error()}
}

// explained lists an event's fields.
func explained(e *vigil.Event, text []byte) (out ExplainedEvent) {
	gjson.ParseBytes(native.Append(nil, e)).ForEach(func(key, value gjson.Result) bool {
		f := ExplainedField{Name: key.Str, Value: value.String(), Meaning: fieldMeanings[key.Str]}
		f.From = whereIs(f, value, text)
		out.Fields = append(out.Fields, f)
		return true
	})
	return out
}

// whereIs finds a value in the record that it was taken from: by its path in JSON, or
// as it stands in a line.
func whereIs(f ExplainedField, value gjson.Result, text []byte) string {
	if f.Name == "source" {
		return ""
	}
	t := bytes.TrimSpace(text)
	want := value.String()
	if value.IsArray() {
		want = value.Get("0").String()
	}
	if len(want) < 2 {
		return ""
	}
	if len(t) > 0 && t[0] == '{' && gjson.ValidBytes(t) {
		return pathOf(gjson.ParseBytes(t), want, "", 0)
	}
	if bytes.Contains(t, []byte(want)) {
		return "as it stands in the line"
	}
	return ""
}

// pathOf is the path of the first value that equals want.
func pathOf(v gjson.Result, want, path string, depth int) (found string) {
	if depth > 12 {
		return ""
	}
	v.ForEach(func(key, item gjson.Result) bool {
		at := strings.TrimPrefix(path+"."+key.String(), ".")
		switch {
		case item.IsObject() || item.IsArray():
			found = pathOf(item, want, at, depth+1)
		case strings.TrimSpace(item.String()) == want:
			found = at
		}
		return found == ""
	})
	return found
}
