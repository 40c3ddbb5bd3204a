package evaluate_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"vigil/internal/evaluate"
)

func TestCalibrationCountsTails(t *testing.T) {
	t.Parallel()
	// Of a thousand events two speak with a p of 1e-3; one more is too early.
	p := evaluate.Program{Command: script(t, `cat >/dev/null
echo '{"id":"early","time":"2026-10-01T00:00:00Z","p":1e-9,"models":{"a":{"score":5,"p":1e-9}}}'
i=0; while [ $i -lt 998 ]; do i=$((i+1)); echo '{"id":"x","time":"2026-10-09T00:00:00Z","p":0.5,"models":{"a":{"score":1,"p":0.9}}}'; done
echo '{"id":"y","time":"2026-10-09T00:00:00Z","p":0.002,"models":{"a":{"score":1,"p":0.0009},"b":{"score":1,"p":0.05}}}'
echo '{"id":"z","time":"2026-10-09T00:00:00Z","p":0.02,"models":{"a":{"score":1,"p":0.00099}}}'
`)}
	fed := 0
	c, err := p.Calibrate(t.Context(), time.Date(2026, 10, 8, 0, 0, 0, 0, time.UTC), func(w io.Writer) error {
		fed++
		_, err := io.WriteString(w, "lines\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if fed != 1 || c.Events != 1000 || strings.Join(c.Names, " ") != "a b merged" {
		t.Fatalf("%d fed; %+v", fed, c)
	}
	for _, want := range []struct {
		name           string
		n              int
		decades, share float64
	}{{"a", 1000, 0, 1}, {"a", 1000, 2, 0.002}, {"a", 1000, 3, 0.002}, {"a", 1000, 4, 0}, {"b", 1, 1, 1}, {"b", 1, 2, 0}, {"merged", 1000, 1, 0.002}, {"merged", 1000, 2, 0.001}} {
		tail := c.By[want.name]
		if got := tail.Below(want.decades); tail.N != want.n || math.Abs(got-want.share) > 1e-12 {
			t.Errorf("%s: %g of %d lie below 1e-%v, want %g of %d", want.name, got, tail.N, want.decades, want.share, want.n)
		}
	}
	table := evaluate.CalibrationTable(c)
	for _, row := range []string{"| a | 100% | 2.0e-3 | 2.0e-3 | 2.0e-3 | 0 |", "| b | 0% | 1 | 0 | **0** | 0 |"} {
		if !strings.Contains(table, row) {
			t.Errorf("no row %q in\n%s", row, table)
		}
	}

	// The picture is whole, in bounds, and has a line for each.
	picture := evaluate.CalibrationPlot(c)
	lines := 0
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "polyline" {
			lines++
		}
	}
	if lines != 3 || strings.Contains(picture, "NaN") || strings.Contains(picture, "Inf") {
		t.Errorf("%d lines in\n%s", lines, picture)
	}

	if _, err := p.Calibrate(t.Context(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), func(io.Writer) error { return nil }); err == nil {
		t.Error("nothing to count is no error")
	}
}
