package otelgenai_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/otelgenai"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, otelgenai.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"otel_genai"}}.Check(t, otelgenai.New())
}

func TestTracesAreKnownAfterARestart(t *testing.T) {
	t.Parallel()
	const turn = `{"spans":[{"traceId":"t","spanId":"1","name":"invoke_agent","startTimeUnixNano":"1772442000000000000","attributes":[{"key":"gen_ai.agent.name","value":{"stringValue":"Helper"}},{"key":"user.id","value":{"stringValue":"c-1"}},{"key":"session.id","value":{"stringValue":"s-1"}}]}],"scope":{}}`
	const tool = `{"spans":[{"traceId":"t","spanId":"2","name":"x","startTimeUnixNano":"1772442001000000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}}]}],"scope":{}}`
	dec, err := otelgenai.New().New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e.Actor.ID, e.Principal, e.Conversation) }
	if err := dec.Decode(formats.Line{Text: []byte(turn), Number: 1}, emit); err != nil {
		t.Fatal(err)
	}
	state, err := dec.State()
	if err != nil {
		t.Fatal(err)
	}
	if dec, err = otelgenai.New().New(formats.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := dec.Restore(state); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(formats.Line{Text: []byte(tool), Number: 2}, emit); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Helper", "c-1", "s-1"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"b"}}]},"scopeSpans":[{"spans":[{"traceId":"1","spanId":"2","parentSpanId":"2","name":"execute_tool x","startTimeUnixNano":"1772442000123456789","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},{"key":"gen_ai.tool.call.arguments","value":{"stringValue":"{\"limit\":5}"}}]}]}]}]}`)
	f.Add(`{"name":"x","context":{"trace_id":"1","span_id":"2"},"start_time":"2026-03-02T09:00:00Z","attributes":{"openinference.span.kind":"RETRIEVER"}}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, otelgenai.New(), formats.Options{}, input) })
}
