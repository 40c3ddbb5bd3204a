package otlp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/otlp"
)

// canary is the token of every test: it must stand nowhere.
const canary = "canary-0123456789abcdef-canary"

// bot is a source's configuration of the given format.
func bot(format string) otlp.Config {
	return otlp.Config{Sources: []otlp.Source{{Token: canary, Decode: decode.Config{
		Source: "bot", Store: "desk", Formats: catalog.All(), Format: format,
		Mapping: &formats.Mapping{Params: map[string]formats.Meaning{"customer_id": formats.MeansSubject}},
	}}}}
}

// receiver is a Receiver that listens on both transports, as a collector.
type receiver struct {
	p      *peer
	config otlp.Config
}

func (c *receiver) Run(ctx context.Context, _ []byte, sink collectors.Sink) error {
	r, err := otlp.New(c.config, sink, otlp.Options{})
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	byGRPC, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	byHTTP, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r.Handler(), ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(byHTTP)
	}()
	stop := r.ServeGRPC(byGRPC)
	c.p.listens(byGRPC.Addr().String(), byHTTP.Addr().String())
	<-ctx.Done()
	c.p.listens("", "")
	// At leisure, but for calls that wait for a sink that is stuck.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = stop(within)
	_ = server.Shutdown(within)
	_ = server.Close()
	<-served
	return nil
}

// peer is a program that uses OpenTelemetry's SDK, with its batch processors.
type peer struct {
	config otlp.Config
	emit   func(collectorstest.Record)

	mu             sync.Mutex // guards the addresses
	byGRPC, byHTTP string
}

func (p *peer) listens(byGRPC, byHTTP string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byGRPC, p.byHTTP = byGRPC, byHTTP
}

// dial connects to whichever receiver runs.
func (p *peer) dial(ctx context.Context, over string) (net.Conn, error) {
	p.mu.Lock()
	address := p.byGRPC
	if over == "http" {
		address = p.byHTTP
	}
	p.mu.Unlock()
	if address == "" {
		return nil, errors.New("nobody listens")
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

func (p *peer) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx, "http") },
	}}
}

func (p *peer) grpcDialer() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return p.dial(ctx, "grpc") }),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.2, MaxDelay: 100 * time.Millisecond}}),
	}
}

func (p *peer) Write(_ context.Context, records ...collectorstest.Record) error {
	for _, r := range records {
		p.emit(r)
	}
	return nil
}

func (p *peer) Collector() (collectors.Collector, error) { return &receiver{p, p.config}, nil }

// The limits of the SDK, beyond which it drops: none is met in a test.
const (
	queue    = 1 << 16
	patience = 10 * time.Minute
	batch    = 64
)

var authorization = map[string]string{"authorization": "Bearer " + canary}

// persistent sends again what an exporter has given up: those by HTTP do when nobody
// listens, where those by gRPC wait. A partial success is none to send again.
func persistent(ctx context.Context, send func(context.Context) error) error {
	for {
		err := send(ctx)
		if err == nil || strings.Contains(err.Error(), "partial success") {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type persistentLogs struct{ sdklog.Exporter }

func (e persistentLogs) Export(ctx context.Context, records []sdklog.Record) error {
	return persistent(ctx, func(ctx context.Context) error { return e.Exporter.Export(ctx, records) })
}

type persistentSpans struct{ sdktrace.SpanExporter }

func (e persistentSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return persistent(ctx, func(ctx context.Context) error { return e.SpanExporter.ExportSpans(ctx, spans) })
}

// logs makes a program that writes records' lines as log records over a transport.
func logs(over, format string) func(t *testing.T) collectorstest.Peer {
	return func(t *testing.T) collectorstest.Peer {
		t.Helper()
		p := &peer{config: bot(format)}
		var exporter sdklog.Exporter
		var err error
		if over == "grpc" {
			exporter, err = otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint("passthrough:///vigil"), otlploggrpc.WithInsecure(),
				otlploggrpc.WithHeaders(authorization), otlploggrpc.WithDialOption(p.grpcDialer()...), otlploggrpc.WithTimeout(patience),
				otlploggrpc.WithCompressor("gzip"), otlploggrpc.WithRetry(otlploggrpc.RetryConfig{
					Enabled: true, InitialInterval: 10 * time.Millisecond, MaxInterval: 100 * time.Millisecond, MaxElapsedTime: patience,
				}))
		} else {
			exporter, err = otlploghttp.New(t.Context(), otlploghttp.WithEndpoint("vigil.test"), otlploghttp.WithInsecure(),
				otlploghttp.WithHeaders(authorization), otlploghttp.WithHTTPClient(p.client()), otlploghttp.WithTimeout(patience),
				otlploghttp.WithCompression(otlploghttp.GzipCompression), otlploghttp.WithRetry(otlploghttp.RetryConfig{
					Enabled: true, InitialInterval: 10 * time.Millisecond, MaxInterval: 100 * time.Millisecond, MaxElapsedTime: patience,
				}))
		}
		if err != nil {
			t.Fatal(err)
		}
		if over == "http" {
			exporter = persistentLogs{exporter}
		}
		provider := sdklog.NewLoggerProvider(sdklog.WithResource(resource.Default()), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter,
			sdklog.WithMaxQueueSize(queue), sdklog.WithExportMaxBatchSize(batch), sdklog.WithExportInterval(20*time.Millisecond),
			sdklog.WithExportTimeout(patience))))
		end(t, provider.Shutdown)
		logger := provider.Logger("desk")
		p.emit = func(r collectorstest.Record) {
			var rec log.Record
			rec.SetTimestamp(r.Time)
			rec.SetBody(attribute.StringValue(string(r.Line())))
			rec.AddAttributes(attribute.String("log.file.name", "access.log"))
			logger.Emit(t.Context(), rec)
		}
		return p
	}
}

// spans makes a bot that calls a tool for each record.
func spans(over string) func(t *testing.T) collectorstest.Peer {
	return func(t *testing.T) collectorstest.Peer {
		t.Helper()
		p := &peer{config: bot("nginx")} // the format of bodies: spans have their own
		var exporter sdktrace.SpanExporter
		var err error
		if over == "grpc" {
			exporter, err = otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint("passthrough:///vigil"), otlptracegrpc.WithInsecure(),
				otlptracegrpc.WithHeaders(authorization), otlptracegrpc.WithDialOption(p.grpcDialer()...), otlptracegrpc.WithTimeout(patience),
				otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
					Enabled: true, InitialInterval: 10 * time.Millisecond, MaxInterval: 100 * time.Millisecond, MaxElapsedTime: patience,
				}))
		} else {
			exporter, err = otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint("vigil.test"), otlptracehttp.WithInsecure(),
				otlptracehttp.WithHeaders(authorization), otlptracehttp.WithHTTPClient(p.client()), otlptracehttp.WithTimeout(patience),
				otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
					Enabled: true, InitialInterval: 10 * time.Millisecond, MaxInterval: 100 * time.Millisecond, MaxElapsedTime: patience,
				}))
		}
		if err != nil {
			t.Fatal(err)
		}
		if over == "http" {
			exporter = persistentSpans{exporter}
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "support-bot"))),
			sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(queue), sdktrace.WithMaxExportBatchSize(batch),
				sdktrace.WithBatchTimeout(20*time.Millisecond), sdktrace.WithExportTimeout(patience)))
		end(t, provider.Shutdown)
		tracer := provider.Tracer("bot")
		p.emit = func(r collectorstest.Record) {
			_, span := tracer.Start(t.Context(), "execute_tool get_customer", trace.WithTimestamp(r.Time), trace.WithAttributes(
				attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", "get_customer"),
				attribute.String("gen_ai.tool.call.arguments", fmt.Sprintf(`{"customer_id":"c%s"}`, strconv.Itoa(r.N)))))
			span.End(trace.WithTimestamp(r.Time.Add(time.Millisecond)))
		}
		return p
	}
}

// end shuts a provider down with the test; what it holds by then is of no interest.
func end(t *testing.T, shutdown func(context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 100*time.Millisecond)
		defer cancel()
		_ = shutdown(ctx)
	})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]collectorstest.Way{
		"logs by gRPC":            {Source: "bot", Peer: logs("grpc", "native")},
		"logs by HTTP, no format": {Source: "bot", Peer: logs("http", "")},
		"traces by gRPC":          {Source: "bot", Peer: spans("grpc"), NoPoison: true},
		"traces by HTTP":          {Source: "bot", Peer: spans("http"), NoPoison: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collectorstest.Run(t, way)
		})
	}
}
