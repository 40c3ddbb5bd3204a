// Package influx writes the rollups to InfluxDB, where Grafana and others read
// them.
//
// The shipper calls it with batches of points; a Writer is safe for concurrent
// use, and holds nothing of its own: a batch is written when Write returns nil,
// and stays with the caller (the ledger's spool) when it returns an error. It
// neither queues nor retries, so what is full and what waits is the caller's to
// say. A cancelled context ends the request at once; since a point that is
// written again replaces itself, a batch of unknown fate is simply sent again.
//
// Only the bounded fields of series.Key and series.FindingKey become tags. Values that the line
// protocol can't carry are percent-encoded (see EncodeTag), so that no value can
// end a point early or begin another.
package influx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"vigil"
	"vigil/internal/series"
)

// The measurements that vigil writes.
const (
	MeasurementAccess   = "vigil_access"
	MeasurementFindings = "vigil_findings"
	MeasurementCases    = "vigil_cases"
	MeasurementSources  = "vigil_sources"
	MeasurementProgram  = "vigil_program"
)

// Bounds and defaults.
const (
	// MaxBatch is the most points that one request carries; longer slices are
	// written in several.
	MaxBatch = 5_000
	// DefaultTimeout bounds one request.
	DefaultTimeout = 20 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 10
)

// Secret is a token that prints as "[redacted]" wherever it is formatted,
// logged or marshalled.
type Secret string

const redacted = "[redacted]"

// String hides the token.
func (Secret) String() string { return redacted }

// GoString hides the token.
func (Secret) GoString() string { return redacted }

// MarshalText hides the token.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the token.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Config is what a user writes.
type Config struct {
	// URL is the server's address, such as "http://127.0.0.1:8086". Required.
	URL string
	// Token is the API token; for InfluxDB 1.8 it is "user:password", and empty
	// for a server without authentication.
	Token Secret
	// Org is the organisation's name; InfluxDB 1.8 ignores it.
	Org string
	// Bucket is where points go; for InfluxDB 1.8 it is "database/retention
	// policy". Required.
	Bucket string
	// Timeout bounds one request; zero means DefaultTimeout.
	Timeout time.Duration
}

// Options is what code passes.
type Options struct {
	// Transport carries the requests; nil means one of its own with short
	// dial and handshake limits.
	Transport http.RoundTripper
	// Logger gets a line when the server sets points aside, for each new reason;
	// nil means none.
	Logger *slog.Logger
}

// Stats counts what became of the points since New.
type Stats struct {
	// Written is how many points the server took. Rejected is how many it will
	// never take (older than its retention, a field of another type); they are
	// given up, or they would hold back all that follow.
	Written, Rejected int64
	// Failures is how many requests failed.
	Failures int64
	// LastRejection is the server's latest reason, quoted and cut short.
	LastRejection string
}

// Writer writes points to one bucket. It implements series.Writer.
type Writer struct {
	cfg    Config
	client influxdb2.Client
	write  api.WriteAPIBlocking
	log    *slog.Logger

	mu    sync.Mutex // guards stats
	stats Stats
}

var _ series.Writer = (*Writer)(nil)

// New makes a writer. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Writer, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case cfg.URL == "":
		return nil, errors.New("influxdb url is missing: give the server's address, such as http://127.0.0.1:8086")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return nil, fmt.Errorf("influxdb url %q is not an address such as http://127.0.0.1:8086", redactURL(cfg.URL))
	case u.User != nil:
		return nil, errors.New("influxdb url holds a user or password: put them in the token, as user:password for InfluxDB 1.8")
	case cfg.Bucket == "":
		return nil, errors.New("influxdb bucket is missing: give its name, or database/retention-policy for InfluxDB 1.8")
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("influxdb timeout %s is negative", cfg.Timeout)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	transport := opts.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost:   2,
			IdleConnTimeout:       90 * time.Second,
			ResponseHeaderTimeout: cfg.Timeout,
		}
	}
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	// The client writes to the standard logger by itself from its error level
	// on; LogLevel 0 leaves the errors that only its unused asynchronous path
	// gives.
	co := influxdb2.DefaultOptions().
		SetPrecision(time.Second).
		SetUseGZip(true).
		SetBatchSize(MaxBatch).
		SetApplicationName("vigil").
		SetLogLevel(0).
		SetHTTPClient(&http.Client{
			Transport: boundedTransport{next: transport},
			Timeout:   cfg.Timeout,
			// A redirect would carry the token to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		})
	client := influxdb2.NewClientWithOptions(strings.TrimRight(cfg.URL, "/"), string(cfg.Token), co)
	return &Writer{cfg: cfg, client: client, write: client.WriteAPIBlocking(cfg.Org, cfg.Bucket), log: logger}, nil
}

// Close lets go of idle connections. A Write that runs meanwhile ends by itself.
func (w *Writer) Close() { w.client.Close() }

// Stats tells what became of the points so far.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// Write writes the points of accesses. An error means that none may be counted
// as written; writing them again is harmless. Points that the server will never
// take are given up, counted in Stats and logged, and are no error.
func (w *Writer) Write(ctx context.Context, points []series.Point) error {
	return sendAll(ctx, w, points, accessPoint)
}

// WriteFindings writes counts of findings, as Write does for accesses.
func (w *Writer) WriteFindings(ctx context.Context, points []series.FindingPoint) error {
	return sendAll(ctx, w, points, findingPoint)
}

// WriteCases writes counts of cases, as Write does for accesses.
func (w *Writer) WriteCases(ctx context.Context, points []series.CasePoint) error {
	return sendAll(ctx, w, points, casePoint)
}

// WriteReadings writes what the program says of itself, as Write does for accesses.
func (w *Writer) WriteReadings(ctx context.Context, readings []series.Reading) error {
	return sendAll(ctx, w, readings, readingPoint)
}

// sendAll sends points in requests of at most MaxBatch.
func sendAll[T any](ctx context.Context, w *Writer, all []T, point func(*T) *write.Point) error {
	out := make([]*write.Point, 0, min(len(all), MaxBatch))
	for part := range slices.Chunk(all, MaxBatch) {
		out = out[:0]
		for i := range part {
			if p := point(&part[i]); p != nil {
				out = append(out, p)
			}
		}
		if err := w.send(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// severity, lane, about and kind are tags of closed sets: another word would be a
// series of its own, and an id among them a series for each person. It is "other".
func severity(word string) string {
	if vigil.Severity(word).Rank() > 0 {
		return word
	}
	return "other"
}

func kind(word string) string {
	if vigil.ActorKind(word).Valid() {
		return word
	}
	return "other"
}

func lane(word string) string {
	switch word {
	case "quarter", "day", "week", "subject", "network", "team", "source", "rule":
		return word
	}
	return "other"
}

func about(word string) string {
	switch vigil.About(word) {
	case vigil.AboutActor, vigil.AboutSubject, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSource:
		return word
	}
	return "other"
}

// accessPoint turns a rollup into a point of MeasurementAccess.
func accessPoint(p *series.Point) *write.Point {
	return newPoint(MeasurementAccess, p.Start, map[string]string{
		"source": p.Key.Source, "store": p.Key.Store, "action": p.Key.Action,
		"actor_kind": p.Key.ActorKind, "role": p.Key.Role, "tenant": p.Key.Tenant,
	}, map[string]int64{
		"events": p.Events, "rows": p.Rows, "bytes": p.Bytes, "subjects": p.Subjects, "denied": p.Denied,
	})
}

func findingPoint(p *series.FindingPoint) *write.Point {
	return newPoint(MeasurementFindings, p.Start, map[string]string{
		"severity": severity(p.Key.Severity), "lane": lane(p.Key.Lane), "about": about(p.Key.About), "actor_kind": kind(p.Key.ActorKind),
	}, map[string]int64{"opened": p.Opened, "closed": p.Closed})
}

func casePoint(p *series.CasePoint) *write.Point {
	return newPoint(MeasurementCases, p.Start, map[string]string{"severity": severity(p.Key.Severity), "about": about(p.Key.About)}, map[string]int64{
		"opened": p.Opened, "acknowledged": p.Acknowledged, "resolved": p.Resolved, "waited_seconds": p.Waited,
	})
}

// readingPoint keeps to the fields that are known: another name would be a field for
// ever. It is nil where none of them is there.
func readingPoint(r *series.Reading) *write.Point {
	measurement, fields, tags := MeasurementProgram, series.ProgramFields(), map[string]string(nil)
	if r.Source != "" {
		measurement, fields, tags = MeasurementSources, series.SourceFields(), map[string]string{"source": r.Source}
	}
	values := map[string]int64{}
	for _, f := range fields {
		if v, ok := r.Values[f.Name]; ok {
			values[f.Name] = v
		}
	}
	if len(values) == 0 {
		return nil
	}
	return newPoint(measurement, r.Start, tags, values)
}

func newPoint(measurement string, at time.Time, tags map[string]string, counts map[string]int64) *write.Point {
	p := write.NewPointWithMeasurement(measurement).SetTime(at.UTC())
	for k, v := range tags {
		// An empty tag is no tag at all in InfluxDB.
		if v != "" {
			p.AddTag(k, EncodeTag(v))
		}
	}
	for k, v := range counts {
		p.AddField(k, v)
	}
	return p.SortTags().SortFields()
}

// send writes one request's worth, and halves it where the server finds it too
// large.
func (w *Writer) send(ctx context.Context, points []*write.Point) error {
	if len(points) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	err := w.write.WritePoint(ctx, points...)
	if err == nil {
		w.count(len(points), 0, "")
		return nil
	}
	var he *influxhttp.Error
	if errors.As(err, &he) {
		if he.StatusCode == http.StatusRequestEntityTooLarge && len(points) > 1 {
			half := len(points) / 2
			if err := w.send(ctx, points[:half]); err != nil {
				return err
			}
			return w.send(ctx, points[half:])
		}
		if dropped, ok := setAside(he, len(points)); ok {
			reason := w.quote(he.Message)
			if w.count(len(points)-dropped, dropped, reason) {
				w.log.Warn("influxdb set points aside; they are given up",
					slog.Int("points", dropped), slog.String("reason", reason),
					slog.String("remedy", "points older than the bucket's retention need a longer one; a field type conflict needs a fresh bucket"))
			}
			return nil
		}
	}
	w.mu.Lock()
	w.stats.Failures++
	w.mu.Unlock()
	return fmt.Errorf("write %d points to influxdb: %w", len(points), w.explain(err))
}

// count adds to the statistics and reports whether the reason is a new one.
func (w *Writer) count(written, rejected int, reason string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Written += int64(written)
	w.stats.Rejected += int64(rejected)
	if reason == "" || reason == w.stats.LastRejection {
		return false
	}
	w.stats.LastRejection = reason
	return true
}

// Check asks the server whether it is healthy, so that a wrong address shows at
// start. It writes nothing, so a wrong bucket or token shows at the first Write.
func (w *Writer) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	h, err := w.client.Health(ctx)
	if err != nil {
		return fmt.Errorf("check influxdb: %w", w.explain(err))
	}
	if h.Status != "pass" {
		msg := ""
		if h.Message != nil {
			msg = *h.Message
		}
		return fmt.Errorf("check influxdb: server at %s says that its health is %q (%s)", redactURL(w.cfg.URL), h.Status, w.quote(msg))
	}
	return nil
}

// boundedTransport cuts answers short, so that no server can fill the memory.
type boundedTransport struct{ next http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, maxAnswer), body}
	return resp, nil
}
