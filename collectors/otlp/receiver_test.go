package otlp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/tidwall/gjson"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/otlp"
)

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// basket is a sink that keeps batches, an id once, as the ledger does. refuse says what it
// answers; it may be nil.
type basket struct {
	mu     sync.Mutex // guards all below
	refuse func(collectors.Batch) error
	ids    map[string]bool
	events []*vigil.Event
	aside  []vigil.Quarantined
	offers int
}

func (b *basket) Accept(_ context.Context, batch collectors.Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offers++
	if b.refuse != nil {
		if err := b.refuse(batch); err != nil {
			return err
		}
	}
	if b.ids == nil {
		b.ids = map[string]bool{}
	}
	for _, e := range batch.Events {
		if !b.ids[e.ID] {
			b.ids[e.ID] = true
			b.events = append(b.events, e)
		}
	}
	for _, q := range batch.Quarantined {
		if id := fmt.Sprint(q.File, q.Offset, q.Line, q.Hash); !b.ids[id] {
			b.ids[id] = true
			b.aside = append(b.aside, q)
		}
	}
	return nil
}

func (b *basket) refuseWith(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = func(collectors.Batch) error { return err }
}

// await waits until ok, which is called with the lock held.
func (b *basket) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		b.mu.Lock()
		done := ok()
		b.mu.Unlock()
		if done {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

func (b *basket) subjects() (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		out = append(out, e.Subjects...)
	}
	return out
}

func (b *basket) reasons() (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.aside {
		out = append(out, q.Code)
	}
	return out
}

func newReceiver(t testing.TB, cfg otlp.Config, sink collectors.Sink) *otlp.Receiver {
	t.Helper()
	r, err := otlp.New(cfg, sink, otlp.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// post sends a request by HTTP and returns the status, the body and the headers.
func post(t testing.TB, h http.Handler, path string, body []byte, headers ...string) (int, []byte, http.Header) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+canary)
	req.Header.Set("Content-Type", "application/x-protobuf")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.Bytes(), w.Header()
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func str(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func pair(key, value string) *common.KeyValue { return &common.KeyValue{Key: key, Value: str(value)} }

// tool is a span of a bot that looks a customer up.
func tool(n int, more ...*common.KeyValue) *tracepb.Span {
	id := func(size int) []byte { return fmt.Appendf(nil, "%0*d", size, n) }
	return &tracepb.Span{
		TraceId: id(16), SpanId: id(8), Name: "execute_tool get_customer", StartTimeUnixNano: uint64(now.Add(time.Duration(n) * time.Second).UnixNano()),
		Attributes: append([]*common.KeyValue{
			pair("gen_ai.operation.name", "execute_tool"), pair("gen_ai.tool.name", "get_customer"),
			pair("gen_ai.tool.call.arguments", fmt.Sprintf(`{"customer_id":"c%d"}`, n)),
		}, more...),
	}
}

func traces(service string, spans ...*tracepb.Span) *coltrace.ExportTraceServiceRequest {
	return &coltrace.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*common.KeyValue{pair("service.name", service), pair("vigil.source", "forged")}},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "s"}, Spans: spans}},
	}}}
}

func logRequest(resource []*common.KeyValue, records ...*logspb.LogRecord) *collogs.ExportLogsServiceRequest {
	return &collogs.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource: &resourcepb.Resource{Attributes: resource}, ScopeLogs: []*logspb.ScopeLogs{{LogRecords: records}},
	}}}
}

func line(n int) string {
	return fmt.Sprintf(`{"time":%d,"actor":"ann","action":"read","source":"forged","subjects":["c%d"]}`, now.Unix()+int64(n), n)
}

func logOf(body *common.AnyValue, at time.Time, attributes ...*common.KeyValue) *logspb.LogRecord {
	return &logspb.LogRecord{Body: body, ObservedTimeUnixNano: uint64(at.UnixNano()), Attributes: attributes}
}

func TestSpansAndRecords(t *testing.T) {
	t.Parallel()
	b := &basket{}
	h := newReceiver(t, bot(""), b).Handler()
	code, body, _ := post(t, h, "/v1/traces", marshal(t, traces("helper", tool(1), tool(2))))
	if code != http.StatusOK || len(body) != 0 {
		t.Fatalf("%d %s", code, body)
	}
	nginx := `192.0.2.7 - ann [02/Nov/2026:09:00:01 +0000] "GET /api/customers/c4 HTTP/1.1" 200 1024 "-" "Mozilla/5.0"`
	m := &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{
		pair("time", "2026-11-02T09:00:05Z"), pair("actor", "ann"), pair("action", "read"),
		{Key: "subjects", Value: &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{str("c5")}}}}},
	}}}}
	code, body, _ = post(t, h, "/v1/logs", marshal(t, logRequest([]*common.KeyValue{pair("host.name", "web")},
		logOf(str(line(3)), now), logOf(str(nginx), now, pair("log.file.name", "access.log")), logOf(m, now),
		logOf(str("server started"), now, pair("log.file.name", "app.log")), logOf(nil, now),
		&logspb.LogRecord{ // a record of a bot
			EventName: "x.tool_result", ObservedTimeUnixNano: uint64(now.UnixNano()),
			Attributes: []*common.KeyValue{pair("gen_ai.tool.name", "get_customer"), pair("gen_ai.tool.call.arguments", `{"customer_id":"c6"}`)},
		})))
	if code != http.StatusOK || len(body) != 0 {
		t.Errorf("%d %s", code, body)
	}
	if diff := cmp.Diff([]string{"c1", "c2", "c3", "c5", "c6"}, b.subjects()); diff != "" {
		t.Error(diff)
	}
	for _, e := range b.events {
		if e.Source != "bot" || !e.Received.Equal(now) || e.Time.Year() != 2026 {
			t.Errorf("%+v", e)
		}
	}
	if len(b.events) != 6 || b.events[0].Actor.ID != "helper" {
		t.Errorf("%d events, of %+v", len(b.events), b.events[0].Actor)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	b := &basket{}
	h := newReceiver(t, bot(""), b).Handler()
	host := []*common.KeyValue{pair("host.name", "a")}
	want := 0
	send := func(what string, more int, path string, m proto.Message) {
		t.Helper()
		want += more
		if code, body, _ := post(t, h, path, marshal(t, m)); code != http.StatusOK {
			t.Fatalf("%s: %d %s", what, code, body)
		}
		if got := len(b.events); got != want {
			t.Errorf("%s: %d events, want %d", what, got, want)
			want = got
		}
	}
	twin := logOf(str(line(1)), now)
	bots := &logspb.LogRecord{EventName: "x.tool_result", ObservedTimeUnixNano: twin.GetObservedTimeUnixNano(), Attributes: []*common.KeyValue{pair("gen_ai.tool.name", "get_customer")}}
	for range 2 {
		again := 1
		if want > 0 {
			again = 0
		}
		send("equal spans are one", 2*again, "/v1/traces", traces("s", tool(1), tool(2), tool(1)))
		send("two equal lines", 2*again, "/v1/logs", logRequest(host, twin, twin))
		send("a third equal line", again, "/v1/logs", logRequest(host, twin, twin, twin))
		send("another moment", again, "/v1/logs", logRequest(host, logOf(str(line(1)), now.Add(1))))
		send("another host", again, "/v1/logs", logRequest([]*common.KeyValue{pair("host.name", "b")}, twin))
		send("equal records of bots, apart", 2*again, "/v1/logs", logRequest(host, bots, logOf(nil, now), bots))
	}
	// A fresh receiver makes the same ids.
	h = newReceiver(t, bot(""), b).Handler()
	send("after a restart", 0, "/v1/logs", logRequest(host, twin, twin, twin))
	send("bots after a restart", 0, "/v1/logs", logRequest(host, bots, logOf(nil, now), bots))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	good := marshal(t, traces("s", tool(1)))
	pack := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(b)
		_ = z.Close()
		return out.Bytes()
	}
	zpack := func(b []byte) []byte {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return z.EncodeAll(b, nil)
	}
	const js = "application/json"
	// Spans without anything: two bytes each, in lists that say how long they are.
	many := bytes.Repeat([]byte("\x12\x00"), 250_001)
	for _, n := range []protowire.Number{2, 1} {
		many = protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), many)
	}
	for name, c := range map[string]struct {
		path    string
		body    []byte
		headers []string
		code    int
		aside   int
		events  int
	}{
		"gzip":             {"/v1/traces", pack(good), []string{"Content-Encoding", "gzip"}, 200, 0, 1},
		"zstd":             {"/v1/traces", zpack(good), []string{"Content-Encoding", "zstd"}, 200, 0, 1},
		"nothing in it":    {"/v1/logs", nil, nil, 200, 0, 0},
		"empty JSON":       {"/v1/logs", []byte(" {} "), []string{"Content-Type", js}, 200, 0, 0},
		"a charset":        {"/v1/logs", []byte("{}"), []string{"Content-Type", js + "; charset=utf-8"}, 200, 0, 0},
		"no token":         {"/v1/traces", good, []string{"Authorization", ""}, 401, 0, 0},
		"a wrong token":    {"/v1/traces", good, []string{"Authorization", "Bearer " + canary + "x"}, 401, 0, 0},
		"another scheme":   {"/v1/traces", good, []string{"Authorization", "Basic " + canary}, 401, 0, 0},
		"metrics":          {"/v1/metrics", nil, nil, 501, 0, 0},
		"elsewhere":        {"/v1/profiles", nil, nil, 404, 0, 0},
		"another type":     {"/v1/logs", good, []string{"Content-Type", "text/plain"}, 415, 0, 0},
		"another packing":  {"/v1/logs", good, []string{"Content-Encoding", "br"}, 400, 1, 0},
		"not packed":       {"/v1/logs", good, []string{"Content-Encoding", "gzip"}, 400, 1, 0},
		"cut":              {"/v1/traces", pack(good)[:40], []string{"Content-Encoding", "gzip"}, 400, 1, 0},
		"no protobuf":      {"/v1/traces", []byte("hello"), nil, 400, 1, 0},
		"cut protobuf":     {"/v1/traces", good[:len(good)-1], nil, 400, 1, 0},
		"no JSON":          {"/v1/traces", []byte(`{"resourceSpans":[`), []string{"Content-Type", js}, 400, 1, 0},
		"an array":         {"/v1/traces", []byte(`[]`), []string{"Content-Type", js}, 400, 1, 0},
		"no list":          {"/v1/traces", []byte(`{"resourceSpans":{}}`), []string{"Content-Type", js}, 400, 1, 0},
		"deep JSON":        {"/v1/traces", []byte(strings.Repeat("[", 1<<20)), []string{"Content-Type", js}, 400, 1, 0},
		"too large":        {"/v1/traces", make([]byte, 16<<20+1), nil, 413, 1, 0},
		"a bomb":           {"/v1/traces", pack(make([]byte, 8<<20)), []string{"Content-Encoding", "gzip"}, 413, 1, 0},
		"a larger bomb":    {"/v1/traces", zpack(make([]byte, 8<<20)), []string{"Content-Encoding", "zstd"}, 413, 1, 0},
		"too many records": {"/v1/traces", many, nil, 413, 1, 0},
		"too many in JSON": {"/v1/traces", []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Repeat("1,", 250_000) + `1]}]}]}`), []string{"Content-Type", js}, 413, 1, 0},
		"odd items":        {"/v1/traces", []byte(`{"resourceSpans":[1,{"scopeSpans":[{"spans":[5,null]}]}]}`), []string{"Content-Type", js}, 200, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &basket{}
			code, body, header := post(t, newReceiver(t, bot(""), b).Handler(), c.path, c.body, c.headers...)
			if code != c.code || len(b.events) != c.events || len(b.aside) != c.aside {
				t.Errorf("answered %d (%q), %d events and %d set aside; want %d, %d and %d", code, body, len(b.events), len(b.aside), c.code, c.events, c.aside)
			}
			kind := header.Get("Content-Type")
			var st rpcstatus.Status
			switch {
			case code == 401:
				if len(body) > 0 || kind != "" {
					t.Errorf("a refusal says %q", body)
				}
			case kind == js:
				if !gjson.ValidBytes(body) || code != 200 && gjson.GetBytes(body, "message").Str == "" {
					t.Errorf("%s", body)
				}
			case kind != "application/x-protobuf":
				t.Errorf("the answer is %q", kind)
			case code != 200:
				if err := proto.Unmarshal(body, &st); err != nil || st.GetMessage() == "" || st.GetCode() == 0 {
					t.Errorf("%v %v", err, &st)
				}
			}
			if strings.Contains(fmt.Sprint(string(body), header, b.aside), canary) {
				t.Error("the token stands in the answer or in what is set aside")
			}
		})
	}
}

func TestPartialSuccess(t *testing.T) {
	t.Parallel()
	long, deep, odd, untimed := tool(2, pair("blob", strings.Repeat("x", 10<<20))), tool(3), tool(4, pair("text", "a")), tool(5)
	value := str("x")
	for range 40 {
		value = &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{value}}}}
	}
	deep.Attributes = append(deep.Attributes, &common.KeyValue{Key: "deep", Value: value})
	untimed.StartTimeUnixNano = 0
	raw := marshal(t, traces("s", tool(1), long, deep, odd, untimed, tool(6)))
	raw = bytes.ReplaceAll(raw, []byte("\x12\x03\x0a\x01a"), []byte("\x12\x03\x0a\x01\xff")) // no UTF-8
	for range 2 {                                                                            // and again
		b := &basket{}
		h := newReceiver(t, bot("nginx"), b).Handler()
		for range 2 {
			code, body, _ := post(t, h, "/v1/traces", raw)
			var out coltrace.ExportTraceServiceResponse
			if err := proto.Unmarshal(body, &out); err != nil || code != http.StatusOK {
				t.Fatalf("%d %v", code, err)
			}
			if p := out.GetPartialSuccess(); p.GetRejectedSpans() != 3 || !strings.Contains(p.GetErrorMessage(), "bytes") {
				t.Errorf("%v", p)
			}
			if diff := cmp.Diff([]string{"c1", "c4", "c6"}, b.subjects()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"too-long", "format", "time"}, b.reasons()); diff != "" {
				t.Error(diff)
			}
		}
	}
	// Bodies, in JSON.
	b := &basket{}
	code, body, _ := post(t, newReceiver(t, bot("native"), b).Handler(), "/v1/logs",
		[]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"{"}},{},{"body":{"stringValue":"a\u0000"}}]}]}]}`), "Content-Type", "application/json")
	if n := gjson.GetBytes(body, "partialSuccess.rejectedLogRecords").String(); code != http.StatusOK || n != "3" {
		t.Errorf("%d %s", code, body)
	}
}

// What spans around a tool say is known though they come later, and in another document.
func TestSpansAround(t *testing.T) {
	t.Parallel()
	b := &basket{}
	var spans []*tracepb.Span
	outer := tool(1000, pair("user.id", "anna"), pair("gen_ai.conversation.id", "conv"), pair("gen_ai.agent.name", "Helper"))
	for n := range 999 {
		s := tool(n+1, pair("note", strings.Repeat("x", 500)))
		s.TraceId = outer.GetTraceId()
		spans = append(spans, s)
	}
	code, _, _ := post(t, newReceiver(t, bot(""), b).Handler(), "/v1/traces", marshal(t, traces("s", append(spans, outer)...)))
	if code != http.StatusOK || len(b.events) != 1000 {
		t.Fatalf("%d, %d events", code, len(b.events))
	}
	for i, e := range b.events {
		if e.Principal != "anna" || e.Conversation != "conv" || e.Subjects[0] != fmt.Sprintf("c%d", i+1) {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

func TestTheSinkRefuses(t *testing.T) {
	t.Parallel()
	b := &basket{}
	var logged bytes.Buffer
	r, err := otlp.New(bot(""), b, otlp.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h := r.Handler()
	one, other := marshal(t, traces("s", tool(1))), marshal(t, traces("s", tool(2)))
	b.refuseWith(errors.New("the disk is full"))
	for range 3 {
		code, body, header := post(t, h, "/v1/traces", one)
		if code != http.StatusServiceUnavailable || header.Get("Retry-After") != "5" || strings.Contains(string(body), "disk") {
			t.Errorf("%d %q %v", code, body, header)
		}
	}
	b.mu.Lock()
	b.refuse = nil
	b.mu.Unlock()
	// Another request comes first: what was refused is not forgotten by the decoder, and not
	// answered for either.
	for _, body := range [][]byte{other, one, one} {
		if code, _, _ := post(t, h, "/v1/traces", body); code != http.StatusOK {
			t.Errorf("%d", code)
		}
	}
	if diff := cmp.Diff([]string{"c1", "c2"}, b.subjects()); diff != "" {
		t.Error(diff)
	}
	if got := logged.String(); strings.Count(got, "can't be kept") != 1 || strings.Contains(got, canary) {
		t.Errorf("logged %q", got)
	}
}

// later is a sink's wish that a batch be offered again.
type later struct{}

func (later) Error() string             { return "over the quota" }
func (later) RetryAfter() time.Duration { return 1500 * time.Millisecond }

func TestTheSinkSaysWhen(t *testing.T) {
	t.Parallel()
	b := &basket{}
	b.refuseWith(fmt.Errorf("accept: %w", later{}))
	code, _, header := post(t, newReceiver(t, bot(""), b).Handler(), "/v1/traces", marshal(t, traces("s", tool(1))))
	if code != http.StatusTooManyRequests || header.Get("Retry-After") != "2" {
		t.Errorf("%d %v", code, header)
	}
}

func TestAFloodHoldsUpItsSourceAlone(t *testing.T) {
	t.Parallel()
	blocked, entered := make(chan struct{}), make(chan struct{}, 100)
	sink := collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		if b.Source != "flood" {
			return nil
		}
		entered <- struct{}{}
		select {
		case <-blocked:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	cfg := otlp.Config{MaxRequests: 1, Timeout: time.Hour, Sources: []otlp.Source{
		{Token: canary, Decode: decode.Config{Source: "flood", Formats: catalog.All()}},
		{Token: "another-" + canary, Decode: decode.Config{Source: "calm", Formats: catalog.All()}},
	}}
	h := newReceiver(t, cfg, sink).Handler()
	body := marshal(t, traces("s", tool(1)))
	answers := make(chan int, 40)
	for range 40 { // one is in, eight wait, the others are told to come again
		go func() {
			code, _, _ := post(t, h, "/v1/traces", body)
			answers <- code
		}()
	}
	<-entered
	for range 31 {
		if code := <-answers; code != http.StatusTooManyRequests {
			t.Errorf("answered %d", code)
		}
	}
	if code, _, _ := post(t, h, "/v1/traces", body, "Authorization", "Bearer another-"+canary); code != http.StatusOK {
		t.Errorf("the other source was answered %d", code)
	}
	close(blocked)
	for range 9 {
		if code := <-answers; code != http.StatusOK {
			t.Errorf("answered %d", code)
		}
	}
}

// dialled serves gRPC and connects to it.
func dialled(t *testing.T, cfg otlp.Config, sink collectors.Sink) *grpc.ClientConn {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := newReceiver(t, cfg, sink).ServeGRPC(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second)
		defer cancel()
		_ = stop(ctx)
	})
	c, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestGRPCAnswers(t *testing.T) {
	t.Parallel()
	b := &basket{}
	c := dialled(t, bot(""), b)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+canary)
	logs, spans, metrics := collogs.NewLogsServiceClient(c), coltrace.NewTraceServiceClient(c), colmetrics.NewMetricsServiceClient(c)
	if out, err := spans.Export(ctx, traces("s", tool(1), tool(2))); err != nil || out.GetPartialSuccess() != nil {
		t.Errorf("%v %v", out, err)
	}
	untimed := tool(3)
	untimed.StartTimeUnixNano = 0
	if out, err := spans.Export(ctx, traces("s", untimed)); err != nil || out.GetPartialSuccess().GetRejectedSpans() != 1 || out.GetPartialSuccess().GetErrorMessage() == "" {
		t.Errorf("%v %v", out, err)
	}
	if _, err := logs.Export(ctx, logRequest(nil, logOf(str(line(4)), now))); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"c1", "c2", "c4"}, b.subjects()); diff != "" {
		t.Error(diff)
	}
	_, err := metrics.Export(ctx, &colmetrics.ExportMetricsServiceRequest{})
	wants(t, err, codes.Unimplemented, false)
	_, err = spans.Export(ctx, traces("s", tool(9, pair("blob", strings.Repeat("x", 17<<20)))))
	wants(t, err, codes.ResourceExhausted, false)
	b.await(t, "the large request", func() bool { return len(b.aside) == 2 })
	for _, ctx := range []context.Context{
		t.Context(), metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer nobody"),
		metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+canary), // twice
	} {
		_, err = spans.Export(ctx, traces("s", tool(8)))
		wants(t, err, codes.Unauthenticated, false)
		if status.Convert(err).Message() != "" {
			t.Errorf("a refusal says %q", err)
		}
		_, err = metrics.Export(ctx, &colmetrics.ExportMetricsServiceRequest{})
		wants(t, err, codes.Unauthenticated, false)
	}
	b.refuseWith(errors.New("the disk is full"))
	_, err = logs.Export(ctx, logRequest(nil, logOf(str(line(5)), now)))
	wants(t, err, codes.Unavailable, true)
	// What is no message of OTLP.
	b.mu.Lock()
	b.refuse = nil
	b.mu.Unlock()
	err = c.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", pair("hello", ""), &rpcstatus.Status{})
	wants(t, err, codes.InvalidArgument, false)
	if diff := cmp.Diff([]string{"time", "too-long", "request"}, b.reasons()); diff != "" {
		t.Error(diff)
	}
}

func wants(t *testing.T, err error, code codes.Code, again bool) {
	t.Helper()
	st := status.Convert(err)
	told := false
	for _, d := range st.Details() {
		info, ok := d.(*errdetails.RetryInfo)
		told = told || ok && info.GetRetryDelay().AsDuration() > 0
	}
	if st.Code() != code || told != again || strings.Contains(st.Message(), canary) {
		t.Errorf("%v, told when to come again: %v; want %s, %v", err, told, code, again)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	sink := &basket{}
	source := func(name, token string) otlp.Source {
		return otlp.Source{Token: token, Decode: decode.Config{Source: name, Formats: catalog.All()}}
	}
	odd := source("a", canary)
	odd.Decode.Format = "no-such"
	none := source("a", canary)
	none.Decode.Formats = none.Decode.Formats[:1]
	for name, sources := range map[string][]otlp.Source{
		"no token": {source("a", "")}, "one token for two": {source("a", canary), source("b", canary)},
		"one name for two": {source("a", canary), source("a", "b")}, "no such format": {odd}, "no format for spans": {none}, "no name": {source("", canary)},
	} {
		if _, err := otlp.New(otlp.Config{Sources: sources}, sink, otlp.Options{}); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := otlp.New(bot(""), nil, otlp.Options{}); err == nil {
		t.Error("no sink: no error")
	}
}

// A connection that sends nothing, or half a request, ends with the server.
func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := newReceiver(t, bot(""), &basket{}).ServeGRPC(l)
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = stop(ctx)
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}

// The environment variables of the documentation are those that exporters understand.
//
//nolint:paralleltest // it sets variables
func TestEnvironment(t *testing.T) {
	b := &basket{}
	r := newReceiver(t, bot(""), b)
	web := httptest.NewServer(r.Handler())
	defer web.Close()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := r.ServeGRPC(l)
	defer func() { _ = stop(context.WithoutCancel(t.Context())) }()
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20"+canary)
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	for over, endpoint := range map[string]string{"http": web.URL, "grpc": "http://" + l.Addr().String()} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		var e sdktrace.SpanExporter
		if over == "http" {
			e, err = otlptracehttp.New(t.Context())
		} else {
			e, err = otlptracegrpc.New(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(e))
		_, span := provider.Tracer("bot").Start(t.Context(), "execute_tool x", trace.WithAttributes(
			attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", "x")))
		span.End()
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Errorf("%s: %v", over, err)
		}
	}
	if len(b.events) != 2 {
		t.Errorf("%d events, want 2", len(b.events))
	}
}
