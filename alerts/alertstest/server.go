package alertstest

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Canary is the secret that a notifier under test is given: a token, a key, a part of
// the address. No error and no log line may hold it.
const Canary = "canary-2718281828459045"

// Console is the console's address for a notifier under test.
const Console = "https://vigil.example"

// Server is what a notifier under test speaks to.
type Server struct {
	// URL is the server's address, without a slash at its end: http on this machine.
	URL string
	// Timeout is for the notifier's configuration: long enough for a busy machine.
	Timeout time.Duration
	// Logger takes what the notifier logs.
	Logger *slog.Logger

	mu       sync.Mutex // guards all below
	well     http.Handler
	fault    http.HandlerFunc
	requests []Request
	log      bytes.Buffer
}

// Request is one request that the server got.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// newServer starts a server that answers as the channel's service does.
func newServer(t *testing.T, well http.Handler) *Server {
	t.Helper()
	s := &Server{well: well, Timeout: 30 * time.Second}
	s.Logger = slog.New(slog.NewTextHandler((*logWriter)(s), &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv := httptest.NewServer(s)
	s.URL = srv.URL
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		if strings.Contains(s.log.String(), Canary) {
			t.Errorf("the log tells the secret: %s", s.log.String())
		}
	})
	return s
}

type logWriter Server

func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// ServeHTTP notes a request and answers it, by the fault while there is one.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.Method, r.URL.RequestURI(), r.Header.Clone(), body})
	h := s.fault
	s.mu.Unlock()
	if h != nil {
		h(w, r)
		return
	}
	s.well.ServeHTTP(w, r)
}

// fail lets all requests from now on be answered by h, nil for the service as it is.
func (s *Server) fail(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = h
}

// Requests returns the requests since it was last called.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

// unused is an address at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(nil)
	srv.Close()
	return srv.URL
}
