package otlp_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"vigil/collectors"
)

// all takes everything.
var all = collectors.SinkFunc(func(context.Context, collectors.Batch) error { return nil })

// BenchmarkSpans sends requests of 1,000 spans: of tools, and of a bot's turn, of whose
// spans one in ten is of a tool and the others are of what it says and thinks.
func BenchmarkSpans(b *testing.B) {
	for _, c := range []struct {
		name  string
		every int
	}{{"tools", 1}, {"turns", 10}} {
		b.Run(c.name, func(b *testing.B) {
			h := newReceiver(b, bot(""), all).Handler()
			var spans []*tracepb.Span
			for n := range 1000 {
				s := tool(n + 1)
				if n%c.every > 0 {
					s.Name, s.Attributes = "chat", s.GetAttributes()[:0]
					for i := range 8 {
						s.Attributes = append(s.GetAttributes(), pair(fmt.Sprintf("gen_ai.request.setting_%d", i), strings.Repeat("x", 40)))
					}
				}
				spans = append(spans, s)
			}
			body := marshal(b, traces("helper", spans...))
			b.SetBytes(int64(len(body)))
			for i := 0; b.Loop(); i++ {
				// Other spans each time: what is around them differs.
				post(b, h, "/v1/traces", numbered(b, body, i))
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

// numbered adds a span to a request, which makes it another one at no cost. The spans are
// known by the decoder all the same, which it finds out for each.
func numbered(b *testing.B, body []byte, i int) []byte {
	b.Helper()
	more, err := proto.Marshal(&coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{SchemaUrl: fmt.Sprint(i)}}})
	if err != nil {
		b.Fatal(err)
	}
	return append(body[:len(body):len(body)], more...)
}

// BenchmarkLines sends requests of 1,000 lines of a log, with and without its format named.
func BenchmarkLines(b *testing.B) {
	for _, format := range []string{"native", ""} {
		b.Run("format="+format, func(b *testing.B) {
			h := newReceiver(b, bot(format), all).Handler()
			var records []*logspb.LogRecord
			for n := range 1000 {
				records = append(records, logOf(str(line(n)), now, pair("log.file.name", "access.log")))
			}
			body := marshal(b, logRequest(nil, records...))
			for b.Loop() {
				if code, answer, _ := post(b, h, "/v1/logs", body); code != http.StatusOK {
					b.Fatalf("%d %s", code, answer)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkOther sends what is no access: an application's own lines, in which formats are
// looked for in vain.
func BenchmarkOther(b *testing.B) {
	h := newReceiver(b, bot(""), all).Handler()
	var records []*logspb.LogRecord
	for n := range 1000 {
		records = append(records, logOf(str(fmt.Sprintf("connection %d was taken from the pool", n)), now))
	}
	body := marshal(b, logRequest(nil, records...))
	for b.Loop() {
		if code, answer, _ := post(b, h, "/v1/logs", body); code != http.StatusOK {
			b.Fatalf("%d %s", code, answer)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
}
