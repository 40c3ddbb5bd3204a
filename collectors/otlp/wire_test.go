package otlp

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"
)

// maker makes values of every kind, of which some are not set.
type maker struct{ *rand.Rand }

func (m maker) text() string {
	return []string{"", "a", "ü \"quoted\"\n\x00\u2028<&>", strings.Repeat("x", 300)}[m.IntN(4)]
}

func (m maker) value(v pcommon.Value, depth int) {
	switch n := m.IntN(8); {
	case n == 0:
		v.SetStr(m.text())
	case n == 1:
		v.SetBool(m.IntN(2) == 0)
	case n == 2:
		v.SetInt(int64(m.Uint64()))
	case n == 3:
		v.SetDouble([]float64{0, 1.5, -1e300, 1e-9, math.Inf(1), math.Inf(-1)}[m.IntN(6)])
	case n == 4:
		v.SetEmptyBytes().FromRaw([]byte(m.text()))
	case n == 5 && depth < 4:
		list := v.SetEmptySlice()
		for range m.IntN(3) {
			m.value(list.AppendEmpty(), depth+1)
		}
	case n == 6 && depth < 4:
		m.attributes(v.SetEmptyMap(), depth+1)
	}
}

func (m maker) attributes(to pcommon.Map, depth int) {
	for range m.IntN(4) {
		m.value(to.PutEmpty(m.text()+"k"), depth)
	}
}

func (m maker) id() (trace pcommon.TraceID, span pcommon.SpanID) {
	if m.IntN(3) > 0 {
		for i := range trace {
			trace[i] = byte(m.Uint32())
		}
		copy(span[:], trace[:])
	}
	return trace, span
}

func (m maker) time() pcommon.Timestamp {
	if m.IntN(4) == 0 {
		return 0
	}
	return pcommon.Timestamp(m.Uint64())
}

func (m maker) spans() ptrace.Traces {
	all := ptrace.NewTraces()
	for range 1 + m.IntN(3) {
		rs := all.ResourceSpans().AppendEmpty()
		m.attributes(rs.Resource().Attributes(), 0)
		for range 1 + m.IntN(3) {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName(m.text())
			m.attributes(ss.Scope().Attributes(), 0)
			for range 1 + m.IntN(4) {
				s := ss.Spans().AppendEmpty()
				trace, span := m.id()
				s.SetTraceID(trace)
				s.SetSpanID(span)
				s.SetParentSpanID(span)
				s.SetName(m.text())
				s.SetKind(ptrace.SpanKind(m.IntN(6)))
				s.TraceState().FromRaw(m.text())
				s.SetFlags(m.Uint32N(3))
				s.SetStartTimestamp(m.time())
				s.SetEndTimestamp(m.time())
				s.SetDroppedAttributesCount(m.Uint32N(2))
				s.Status().SetCode(ptrace.StatusCode(m.IntN(3)))
				s.Status().SetMessage(m.text())
				m.attributes(s.Attributes(), 0)
				for range m.IntN(3) {
					e := s.Events().AppendEmpty()
					e.SetName(m.text())
					e.SetTimestamp(m.time())
					m.attributes(e.Attributes(), 0)
					l := s.Links().AppendEmpty()
					l.SetTraceID(trace)
					l.SetFlags(m.Uint32())
					m.attributes(l.Attributes(), 0)
				}
			}
		}
	}
	return all
}

func (m maker) logs() plog.Logs {
	all := plog.NewLogs()
	for range 1 + m.IntN(3) {
		rl := all.ResourceLogs().AppendEmpty()
		m.attributes(rl.Resource().Attributes(), 0)
		for range 1 + m.IntN(3) {
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetVersion(m.text())
			for range 1 + m.IntN(4) {
				l := sl.LogRecords().AppendEmpty()
				trace, span := m.id()
				l.SetTraceID(trace)
				l.SetSpanID(span)
				l.SetTimestamp(m.time())
				l.SetObservedTimestamp(m.time())
				l.SetSeverityNumber(plog.SeverityNumber(m.IntN(25)))
				l.SetSeverityText(m.text())
				l.SetEventName(m.text())
				l.SetFlags(plog.LogRecordFlags(m.Uint32()))
				m.value(l.Body(), 0)
				m.attributes(l.Attributes(), 0)
			}
		}
	}
	return all
}

// documented puts the records of a request together as the receiver does.
func documented(t *testing.T, sig signal, enc encoding, body []byte) [][]byte {
	t.Helper()
	if _, err := enc.check(sig, body); err != nil {
		t.Fatal(err)
	}
	docs := documents{sig: sig}
	enc.each(sig, body, func(r record) {
		if r.err != nil {
			t.Error(r.err)
		}
		docs.add(r, r.json)
	})
	return docs.take()
}

// The Collector's own reader takes what we make of protobuf for what it was.
func TestProtobufBecomesTheSameInJSON(t *testing.T) {
	t.Parallel()
	rng := maker{rand.New(rand.NewPCG(7, 7))}
	bin := binary{newSchema()}
	for range 100 {
		spans := ptraceotlp.NewExportRequestFromTraces(rng.spans())
		logs := plogotlp.NewExportRequestFromLogs(rng.logs())
		for sig, in := range map[signal]interface {
			MarshalProto() ([]byte, error)
			MarshalJSON() ([]byte, error)
		}{signalTraces: spans, signalLogs: logs} {
			proto, err := in.MarshalProto()
			if err != nil {
				t.Fatal(err)
			}
			docs := documented(t, sig, bin, proto)
			if len(docs) != 1 || !json.Valid(docs[0]) {
				t.Fatalf("%d documents: %s", len(docs), docs)
			}
			var again []byte
			if sig == signalTraces {
				out := ptraceotlp.NewExportRequest()
				if err = out.UnmarshalJSON(docs[0]); err == nil {
					again, err = out.MarshalProto()
				}
			} else {
				out := plogotlp.NewExportRequest()
				if err = out.UnmarshalJSON(docs[0]); err == nil {
					again, err = out.MarshalProto()
				}
			}
			if err != nil {
				t.Fatalf("%v in %s", err, docs[0])
			}
			if !bytes.Equal(again, proto) {
				t.Fatalf("%s\nbecame other than it was:\n%x\n%x", docs[0], proto, again)
			}
			// Its JSON comes to the same.
			doc, err := in.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if docs := documented(t, sig, text{}, doc); len(docs) != 1 || !json.Valid(docs[0]) {
				t.Fatalf("%d documents: %s", len(docs), docs)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"stringValue":"a\nb"}`: "a\nb",
		`{"bytesValue":"aGk="}`:  "hi",
		`{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"-5"}},{"key":"b\"","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":1.5},{},{"stringValue":"x"}]}}},{"key":"c","value":{"kvlistValue":{}}}]}}`: `{"a":-5,"b\"":[true,1.5,null,"x"],"c":{}}`,
		`{"intValue":7}`:                  "7",
		`{"intValue":"7,\"a\":8"}`:        `"7,\"a\":8"`,
		`{"doubleValue":"NaN"}`:           `"NaN"`,
		`{"doubleValue":"-"}`:             `"-"`,
		`{}`:                              "",
		`{"bytesValue":"no base64, no"}`:  "",
		`{"arrayValue":{"values":"odd"}}`: "[null]",
	} {
		var r record
		text{}.each(signalLogs, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":`+body+`}]}]}]}`), func(got record) { r = got })
		if got := string(bodyOf(gjson.ParseBytes(r.json))); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// nested is a log record with a value nested so many levels deep.
func nested(levels int) []byte {
	value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "x")
	for range levels - 1 {
		list := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), value)
		value = protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), list)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), value)
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	log := newSchema().log
	for levels, want := range map[int]error{1: nil, maxNesting: nil, maxNesting + 1: errDeep, 2_000: errDeep} {
		out, err := log.appendJSON(nil, nested(levels), 0)
		if err != want { //nolint:errorlint // it is not wrapped
			t.Errorf("%d levels: %v, want %v", levels, err, want)
		}
		if err == nil && depth(out) > maxJSONDepth {
			t.Errorf("%d levels make JSON of depth %d", levels, depth(out))
		}
	}
}

func TestOddProtobuf(t *testing.T) {
	t.Parallel()
	span := newSchema().span
	tag := func(n protowire.Number, w protowire.Type) []byte { return protowire.AppendTag(nil, n, w) }
	name := func(s string) []byte { return protowire.AppendString(tag(5, protowire.BytesType), s) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	attribute := func(key string) []byte {
		return protowire.AppendBytes(tag(9, protowire.BytesType), protowire.AppendString(tag(1, protowire.BytesType), key))
	}
	for want, in := range map[string][]byte{
		`{}`:                      {},
		`{"name":""}`:             name(""),
		`{"name":"b"}`:            join(name("a"), name("b")),
		"{\"name\":\"a\ufffdb\"}": name("a\xffb"),
		`{"name":"other types"}`:  join(name("other types"), protowire.AppendVarint(tag(5, protowire.VarintType), 9)),
		`{"name":"unknown"}`:      join(protowire.AppendVarint(tag(900, protowire.VarintType), 9), name("unknown"), protowire.AppendVarint(tag(17, protowire.VarintType), 9)),
		`{"kind":4294967295}`:     protowire.AppendVarint(tag(6, protowire.VarintType), math.MaxUint64),
		`{"name":"x","attributes":[{"key":"a"},{"key":"b"}]}`: join(attribute("a"), name("x"), attribute("b")),
	} {
		out, err := span.appendJSON(nil, in, 0)
		if err != nil || string(out) != want {
			t.Errorf("%s, %v, want %s", out, err, want)
		}
	}
	for _, in := range []string{"\x2a\xff\xff\xff\xff\x0f", "\x2a\x05a", "\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x39abc", "\x0b"} {
		if out, err := span.appendJSON(nil, []byte(in), 0); err == nil {
			t.Errorf("%q became %s", in, out)
		}
	}
}
