package slacktest

import (
	"fmt"
	"net/http"
	"strings"
)

// Limited is what Slack answers who asks too often.
func Limited(retryAfter string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", retryAfter)
		rw.WriteHeader(http.StatusTooManyRequests)
	}
}

// Status is a bare HTTP status.
func Status(code int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }
}

// Refused is a refusal in Slack's form, with status 200.
func Refused(code string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = fmt.Fprintf(rw, `{"ok":false,"error":%q}`, code)
	}
}

// Page is a proxy's web page, with status 200.
func Page(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "text/html")
	_, _ = rw.Write([]byte("<html><body>Please sign in to the network.</body></html>"))
}

// Reset breaks the connection without an answer.
func Reset(rw http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close() // to break it is the purpose
}

// Hang sends the header of an answer, and then nothing until the other side gives up.
func Hang(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(rw).Flush()
	<-r.Context().Done()
}

// Huge is an answer of 10 MB.
func Huge(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = rw.Write([]byte(`{"ok":true,"warning":"`))
	chunk := []byte(strings.Repeat("x", 1<<20))
	for range 10 {
		if _, err := rw.Write(chunk); err != nil {
			return
		}
	}
	_, _ = rw.Write([]byte(`"}`))
}
