package console_test

import (
	"net/http"
	"testing"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
)

// BenchmarkPages tells how long the pages take, with a full page of findings and
// of events.
func BenchmarkPages(b *testing.B) {
	var many []vigil.Finding
	for range 50 {
		many = append(many, sample.Vendor())
	}
	h := handler(b, console.Config{}, sample.NewReader(many...))
	for name, path := range map[string]string{"queue": "/", "finding": "/findings/" + sample.Vendor().ID} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Host = "localhost"
			b.ReportAllocs()
			for b.Loop() {
				w := &recorder{head: http.Header{}}
				h.ServeHTTP(w, r)
				if w.code != http.StatusOK {
					b.Fatalf("status %d", w.code)
				}
			}
		})
	}
}
