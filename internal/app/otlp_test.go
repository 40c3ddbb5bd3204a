package app_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials"

	"vigil/internal/app"
	"vigil/internal/config"
)

// certified writes the certificate that httptest has for 127.0.0.1, and its key.
func certified(t *testing.T) (files *config.ServerTLS, trust *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files = &config.ServerTLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: s.Certificate().Raw}, files.Key: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust = x509.NewCertPool()
	trust.AddCert(s.Certificate())
	return files, trust
}

// OpenTelemetry's exporters send spans by gRPC and log records by HTTP, over TLS.
func TestServeTakesOTLP(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	cfg.Sources = append(cfg.Sources, config.Source{
		Name: "telemetry", OTLP: &config.OTLP{Token: config.NewSecret("telemetry-" + token)},
	})
	cfg.PushListen, cfg.OTLPListen = "127.0.0.1:0", "127.0.0.1:0"
	var trust *x509.CertPool
	cfg.PushTLS, trust = certified(t)
	w := begin(t, cfg, app.Options{})
	secure := &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}
	header := map[string]string{"authorization": "Bearer telemetry-" + token}

	spans, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(w.OTLPAddr()), otlptracegrpc.WithHeaders(header),
		otlptracegrpc.WithTLSCredentials(credentials.NewTLS(secure)))
	if err != nil {
		t.Fatal(err)
	}
	tracing := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	_, span := tracing.Tracer("bot").Start(t.Context(), "execute_tool get_customer", trace.WithTimestamp(day()), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", "get_customer")))
	span.End()

	records, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpoint(strings.TrimSuffix(strings.TrimPrefix(w.PushURL(), "https://"), "/v1/events")),
		otlploghttp.WithHeaders(header), otlploghttp.WithTLSClientConfig(secure))
	if err != nil {
		t.Fatal(err)
	}
	logging := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(records)))
	var r log.Record
	r.SetBody(attribute.StringValue(strings.TrimSpace(line(day(), "l1", "maria", ""))))
	logging.Logger("desk").Emit(t.Context(), r)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for what, shutdown := range map[string]func(context.Context) error{"spans": tracing.Shutdown, "records": logging.Shutdown} {
		if err := shutdown(ctx); err != nil {
			t.Errorf("send %s: %v", what, err)
		}
	}
	until(t, "the span and the record", func() bool { return w.status().accepted("telemetry") == 2 })
	w.end()
	if strings.Contains(w.logs.String(), "telemetry-"+token) {
		t.Error("the token stands in the log")
	}
}
