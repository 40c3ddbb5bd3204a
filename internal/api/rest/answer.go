package rest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"vigil/internal/api"
)

// revised is an answer that says how often it was changed: its ETag.
type revised interface{ revision() int }

// done is what came of a request, as it is sent.
func done(v any) (d api.DoneOnce, err error) {
	if x, ok := v.(revised); ok {
		d.Revision = x.revision()
	}
	d.Answer, err = write(v)
	return d, err
}

// send sends what came of a request.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, d api.DoneOnce) {
	if d.Revision > 0 {
		tag := tagOf(d.Revision)
		w.Header().Set("ETag", tag)
		if r.Method == http.MethodGet && r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(d.Answer)
	_, _ = w.Write([]byte("\n"))
}

func tagOf(revision int) string { return `"` + strconv.Itoa(revision) + `"` }

// write makes JSON of an answer. A list is never null. Numbers that JSON can't hold are
// replaced: the infinite by the largest, what is no number by zero.
func write(v any) ([]byte, error) {
	body, err := json.Marshal(v, jsonv1.OmitEmptyWithLegacySemantics(true), jsonv1.FormatDurationAsNano(true), json.Deterministic(true),
		jsontext.EscapeForHTML(true), jsontext.AllowInvalidUTF8(true), json.WithMarshalers(json.MarshalToFunc(writeNumber)))
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return body, nil
}

func writeNumber(e *jsontext.Encoder, x float64) error {
	switch {
	case math.IsNaN(x):
		return e.WriteToken(jsontext.Int(0))
	case math.IsInf(x, 0):
		return e.WriteToken(jsontext.Float(math.Copysign(math.MaxFloat64, x)))
	}
	return errors.ErrUnsupported // the usual way
}

// Fail answers with a problem.
func (h *Handler) Fail(w http.ResponseWriter, _ *http.Request, p *api.Problem) {
	body, err := write(p)
	if err != nil {
		http.Error(w, p.Headline, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("ETag")
	if p.Code == api.CodeBusy || p.Code == api.CodeUnrecorded {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}
