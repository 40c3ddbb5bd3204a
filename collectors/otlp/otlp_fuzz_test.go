package otlp_test

import (
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// FuzzRequest sends requests of any bytes: each is answered, and sent again it makes
// nothing new, not by another receiver either.
func FuzzRequest(f *testing.F) {
	kinds := []string{"application/x-protobuf", "application/json"}
	paths := []string{"/v1/logs", "/v1/traces"}
	f.Add(uint8(2), marshal(f, traces("s", tool(1), tool(2))))
	f.Add(uint8(0), marshal(f, logRequest(nil, logOf(str(line(1)), now), logOf(str("{"), now), logOf(nil, now))))
	f.Add(uint8(1), []byte(`{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"x"},"logRecords":[{"observedTimeUnixNano":"5","eventName":"x.tool_result","body":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}},"attributes":[{"key":"gen_ai.tool.name","value":{"stringValue":"x"}}]},{"body":{"stringValue":"{"}}]}]}]}`))
	f.Add(uint8(3), []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"1","spanId":"2","name":"execute_tool x","startTimeUnixNano":"1772442000123456789","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}}]},{}]}]}]}`))
	f.Fuzz(func(t *testing.T, how uint8, body []byte) {
		kind, path := kinds[how&1], paths[how>>1&1]
		b := &basket{}
		events, aside := -1, -1
		for range 2 {
			h := newReceiver(t, bot([]string{"", "native", "otel-genai"}[how>>2%3]), b).Handler()
			for range 2 {
				code, answer, _ := post(t, h, path, body, "Content-Type", kind)
				if code != http.StatusOK && code != http.StatusBadRequest && code != http.StatusRequestEntityTooLarge {
					t.Fatalf("answered %d %q", code, answer)
				}
				if code == http.StatusOK && how&3 == 2 {
					if err := proto.Unmarshal(answer, &coltrace.ExportTraceServiceResponse{}); err != nil {
						t.Fatal(err)
					}
				}
				if events < 0 {
					events, aside = len(b.events), len(b.aside)
				}
				if len(b.events) != events || len(b.aside) != aside {
					t.Fatalf("sent again it made more: %d events and %d set aside, before %d and %d", len(b.events), len(b.aside), events, aside)
				}
			}
		}
		for _, e := range b.events {
			if e.Source != "bot" || e.ID == "" {
				t.Errorf("%+v", e)
			}
		}
	})
}
