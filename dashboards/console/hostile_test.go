package console_test

import (
	"net/http"
	"regexp"
	"testing"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
)

// hostileReader holds n findings, and a state, made of the texts.
func hostileReader(texts []string, n int) *sample.Reader {
	r := sample.NewReader()
	for i := n - 1; i >= 0; i-- {
		f, events := sample.Hostile(texts, i)
		r.Add(f)
		r.SetEvents(f.ID, events)
		r.SetCase(sample.HostileCase(&f, texts, i))
	}
	s := sample.Status()
	s.Note = texts[0]
	for i := range s.Lanes {
		s.Lanes[i].Name, s.Lanes[i].Why = texts[(2*i+1)%len(texts)], texts[(2*i+2)%len(texts)]
	}
	for i, text := range texts {
		s.Sources = append(s.Sources, api.Source{Name: text, QuarantineReasons: map[string]int64{texts[(i+1)%len(texts)]: 1}})
	}
	r.SetStatus(s)
	r.Taint(func(v any) { sample.Fill(v, texts, 0) })
	return r
}

var (
	tag    = regexp.MustCompile(`<[^<>]*>`)
	quoted = regexp.MustCompile(`"[^"]*"`)
)

// shape is a page's markup without its texts and the values of its attributes.
func shape(body string) []string {
	tags := tag.FindAllString(body, -1)
	for i := range tags {
		tags[i] = quoted.ReplaceAllString(tags[i], `""`)
	}
	return tags
}

// FuzzAddress asks for any address under any name: no answer may be a failure of
// the inside, nor lack the policy.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"/", "/live?min=high", "/findings/x", "/findings/..%2f..", "//evil", "/findings//live", "/%00", "/assets/../console.go"} {
		f.Add(s, "localhost")
	}
	h := handler(f, console.Config{}, sample.NewReader(sample.All()...))
	f.Fuzz(func(t *testing.T, address, host string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := r.URL.Parse(address)
		if err != nil {
			t.Skip()
		}
		r.URL, r.Host = u, host
		w := &recorder{head: http.Header{}}
		h.ServeHTTP(w, r)
		if w.code >= 500 {
			t.Errorf("%q: status %d", address, w.code)
		}
		if w.head.Get("Content-Security-Policy") == "" {
			t.Errorf("%q: no policy", address)
		}
	})
}

type recorder struct {
	head http.Header
	code int
}

func (r *recorder) Header() http.Header { return r.head }
func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
}
func (r *recorder) Write(b []byte) (int, error) { r.WriteHeader(http.StatusOK); return len(b), nil }
