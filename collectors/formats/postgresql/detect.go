package postgresql

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats"
	carry "vigil/collectors/formats/record"
)

func firstLine(sample []byte) string {
	for l := range bytes.Lines(sample) {
		if t := bytes.TrimRight(l, "\r\n"); len(bytes.TrimSpace(t)) > 0 {
			return string(t)
		}
	}
	return ""
}

// variantOf tells a csvlog and a jsonlog by their first line; nil is undecided.
func variantOf(line string) func(*decoder) framer {
	switch {
	case strings.HasPrefix(line, "{") && strings.Contains(line, `"error_severity"`):
		return newJSON
	case csvStart.MatchString(line) || strings.HasPrefix(line, "log_time,user_name,"):
		return newCSV
	}
	return nil
}

// Detect says how sure it is that the sample is of a PostgreSQL server.
func (*Format) Detect(sample []byte) float64 {
	first := firstLine(sample)
	switch {
	case carried([]byte(first)):
		return detectWrapped(sample)
	case strings.HasPrefix(first, "{"):
		if strings.Contains(first, `"error_severity"`) && strings.Contains(first, `"pid"`) {
			return 0.98
		}
		return 0
	case csvStart.MatchString(first):
		return 0.97
	}
	// Text: the share of lines that a prefix reads, continuation lines apart.
	lines, read := 0, 0
	s := &prefixes{}
	cutOff := !bytes.HasSuffix(sample, []byte("\n"))
	all := bytes.SplitAfter(sample, []byte("\n"))
	for i, l := range all {
		l = bytes.TrimRight(l, "\r\n")
		if len(l) == 0 || l[0] == '\t' || cutOff && i == len(all)-1 && i > 0 {
			continue
		}
		if lines++; lines > 200 {
			break
		}
		if _, _, _, ok := s.match(string(l)); ok {
			read++
		}
	}
	if read == 0 {
		return 0
	}
	share := float64(read) / float64(lines)
	return 0.25 + 0.7*share
}

// detectWrapped looks at what is within the wrapping: the share of texts that are
// PostgreSQL's, those that are told to be another program's apart.
func detectWrapped(sample []byte) float64 {
	d := newDecoder(formats.Options{})
	d.looking = true
	w := newWrapped(d).(*wrapped)
	cutOff := len(sample) >= formats.MaxSample && !bytes.HasSuffix(sample, []byte("\n"))
	all := bytes.Split(sample, []byte("\n"))
	if cutOff && len(all) > 1 {
		all = all[:len(all)-1]
	}
	for i, l := range all {
		w.line(formats.Line{Text: bytes.TrimSuffix(l, []byte("\r")), Number: int64(i + 1)})
		if w.read+w.other > 200 {
			break
		}
	}
	if held := w.frames.Held(); len(held) > 0 && carry.Shallow(held) {
		w.value(gjson.ParseBytes(held), carrier{}, 0) // the sample ends within a document
	}
	switch {
	case w.read == 0 && w.shared > 0:
		return 0.4
	case w.read == 0:
		return 0
	}
	return 0.25 + 0.7*float64(w.read)/float64(w.read+w.other)
}
