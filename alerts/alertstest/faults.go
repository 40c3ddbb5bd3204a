package alertstest

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// outcome says what a notifier must make of a fault.
type outcome int

const (
	// mustRetry is a *alerts.RetryError.
	mustRetry outcome = iota
	// mustRefuse is a *alerts.RefusedError of this message, mustRefuseAll of all.
	mustRefuse
	mustRefuseAll
	// mustFail is any error, mayDo an error or none.
	mustFail
	mayDo
)

// fault is one way in which a service misbehaves.
type fault struct {
	name   string
	handle http.HandlerFunc
	want   outcome
	// after is the wait that the error must carry, doubt that it must be in doubt.
	after time.Duration
	doubt bool
}

func status(code int, after string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		// A service that repeats what it was sent must not get it into an error.
		fmt.Fprintf(w, `{"message":%q,"auth":%q}`, r.URL.String(), r.Header.Get("Authorization")) //nolint:gosec // a test's server, whose reader is a test
	}
}

// Answer answers every request alike. It is for a Suite's refusals.
func Answer(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is milder, and the case still one of a lost answer
	}
	_ = conn.Close() // to break it is the purpose
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func brokenOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"ok":tr`)
}

// faults are those that every channel over HTTP meets. reads says that the channel needs
// what the answer says.
func faults(reads bool) []fault {
	unread := mayDo
	if reads {
		unread = mustFail
	}
	return []fault{
		{name: "429 after 1", handle: status(429, "1"), after: time.Second},
		{name: "429 after 30", handle: status(429, "30"), after: 30 * time.Second},
		{name: "429 after 3600", handle: status(429, "3600"), after: time.Hour},
		{name: "429 after nonsense", handle: status(429, "soon")},
		{name: "429 after negative", handle: status(429, "-30")},
		{name: "429 without after", handle: status(429, "")},
		{name: "500", handle: status(500, "")},
		{name: "502", handle: status(502, "")},
		{name: "503 after 30", handle: status(503, "30"), after: 30 * time.Second},
		{name: "504", handle: status(504, "")},
		{name: "reset", handle: reset, doubt: true},
		{name: "200 with a page", handle: Answer(200, "text/html", "<html><body>Sign in to the network</body></html>"), want: unread},
		{name: "200 with nothing", handle: Answer(200, "application/json", ""), want: unread},
		{name: "200 broken off", handle: brokenOff, want: unread},
		{name: "400", handle: status(400, ""), want: mustRefuse},
		{name: "401", handle: status(401, ""), want: mustRefuseAll},
		{name: "403", handle: status(403, ""), want: mustRefuseAll},
		{name: "404", handle: status(404, ""), want: mustRefuseAll},
		{name: "413", handle: status(413, ""), want: mustRefuse},
	}
}

// endless writes until the reader has enough, at most this many bytes.
const endless = 64 << 20

func endlessAnswer(written func(int)) http.HandlerFunc {
	chunk := []byte(strings.Repeat(" ", 64<<10))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for n := 0; n < endless; n += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			written(len(chunk))
		}
	}
}
