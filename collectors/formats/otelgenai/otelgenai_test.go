package otelgenai_test

import (
	"testing"

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

func FuzzDecode(f *testing.F) {
	f.Add(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"b"}}]},"scopeSpans":[{"spans":[{"traceId":"1","spanId":"2","parentSpanId":"2","name":"execute_tool x","startTimeUnixNano":"1772442000123456789","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},{"key":"gen_ai.tool.call.arguments","value":{"stringValue":"{\"limit\":5}"}}]}]}]}]}`)
	f.Add(`{"name":"x","context":{"trace_id":"1","span_id":"2"},"start_time":"2026-03-02T09:00:00Z","attributes":{"openinference.span.kind":"RETRIEVER"}}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, otelgenai.New(), formats.Options{}, input) })
}
