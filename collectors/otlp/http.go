package otlp

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/codes"
)

// Paths are those at which Handler is mounted.
func Paths() []string { return []string{"/v1/logs", "/v1/traces", "/v1/metrics"} }

const (
	// readTimeout bounds how long a sender may take for one request.
	readTimeout = 2 * time.Minute
	// maxRatio is how many times its size a request may unpack to, beyond ratioFloor.
	maxRatio   = 300
	ratioFloor = 4 << 20

	typeProtobuf = "application/x-protobuf"
	typeJSON     = "application/json"
)

// Handler takes OTLP over HTTP at Paths.
func (r *Receiver) Handler() http.Handler { return http.HandlerFunc(r.serveHTTP) }

// exchange is one request by HTTP.
type exchange struct {
	r    *Receiver
	w    http.ResponseWriter
	req  *http.Request
	kind string // of the content, and of the answer
	enc  encoding
}

func (r *Receiver) serveHTTP(w http.ResponseWriter, req *http.Request) {
	s := r.sender(req.Header.Get("Authorization"))
	if s == nil {
		w.WriteHeader(http.StatusUnauthorized) // bare: a guess learns nothing
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	x := &exchange{r: r, w: w, req: req, kind: typeProtobuf, enc: r.binary}
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err == nil && kind == typeJSON {
		x.kind, x.enc = typeJSON, text{}
	}
	var sig signal
	switch req.URL.Path {
	case "/v1/logs":
		sig = signalLogs
	case "/v1/traces":
		sig = signalTraces
	case "/v1/metrics":
		x.fail(http.StatusNotImplemented, codes.Unimplemented, noMetrics)
		return
	default:
		x.fail(http.StatusNotFound, codes.NotFound, "send logs to /v1/logs and traces to /v1/traces")
		return
	}
	switch {
	case req.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		x.fail(http.StatusMethodNotAllowed, codes.InvalidArgument, "send with POST")
	case err != nil || kind != typeProtobuf && kind != typeJSON:
		x.fail(http.StatusUnsupportedMediaType, codes.InvalidArgument, "send application/x-protobuf or application/json")
	default:
		x.take(s, sig)
	}
}

// take reads the request, takes it, and answers.
func (x *exchange) take(s *source, sig signal) {
	r, ctx := x.r, x.req.Context()
	leave, err := r.enter(ctx, s)
	if err != nil {
		x.refuse(refusalOf(err))
		return
	}
	defer leave()
	// A server that can't set deadlines has its own.
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(readTimeout))
	packed, err := io.ReadAll(http.MaxBytesReader(x.w, x.req.Body, int64(r.cfg.MaxBody)))
	var large *http.MaxBytesError
	if err != nil && !errors.As(err, &large) {
		// Cut off: the sender has it and sends it again.
		x.refuse(refuse(refusedBusy, "the request could not be read to its end: send it again"))
		return
	}
	out, err := r.take(ctx, s, sig, x.enc, func() ([]byte, error) {
		if large != nil {
			return nil, refuse(refusedLarge, "the request is larger than %d bytes: send fewer records at once, or pack them with gzip", r.cfg.MaxBody)
		}
		return unpack(packed, x.req.Header.Get("Content-Encoding"), r.cfg.MaxUnpacked)
	})
	switch {
	case err != nil:
		x.refuse(refusalOf(err))
	case x.kind == typeJSON:
		x.answer(http.StatusOK, out.json(sig))
	default:
		x.answer(http.StatusOK, out.protobuf())
	}
}

func (x *exchange) refuse(e *refusal) {
	if e.reason.again() {
		x.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.after().Seconds()))))
	}
	x.fail(httpOf(e.reason), codeOf(e.reason), e.text)
}

func (x *exchange) fail(status int, code codes.Code, text string) {
	if x.kind == typeJSON {
		x.answer(status, statusJSON(code, text))
		return
	}
	x.answer(status, statusProtobuf(code, text))
}

func (x *exchange) answer(status int, body []byte) {
	x.w.Header().Set("Content-Type", x.kind)
	x.w.WriteHeader(status)
	// The sender may be gone; there is nobody left to tell.
	_, _ = x.w.Write(body)
}

// unpack returns a request's text, bounded. With an error it returns the request as it came.
func unpack(packed []byte, encoding string, most int) ([]byte, error) {
	var z io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return packed, nil
	case "gzip", "x-gzip":
		z, err = gzip.NewReader(bytes.NewReader(packed))
	case "zstd":
		var d *zstd.Decoder
		d, err = zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(16<<20))
		if err == nil {
			defer d.Close()
		}
		z = d
	default:
		return packed, refuse(refusedBad, "the Content-Encoding is not known: use gzip or zstd, or none")
	}
	damaged := refuse(refusedBad, "the packed request is damaged, or not packed as Content-Encoding says")
	if err != nil {
		return packed, damaged
	}
	bound := min(most, max(ratioFloor, maxRatio*len(packed)))
	text, err := io.ReadAll(io.LimitReader(z, int64(bound)+1))
	switch {
	case err != nil:
		return packed, damaged
	case len(text) > bound && bound < most:
		return packed, refuse(refusedLarge, "the request unpacks to more than %d times its size", maxRatio)
	case len(text) > bound:
		return packed, refuse(refusedLarge, "the request unpacks to more than %d bytes: send fewer records at once", most)
	}
	return text, nil
}
