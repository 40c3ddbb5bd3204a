package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"vigil/dashboards/chart"
)

// A file of its own: well-formed, a dot for each part that stands for something, in
// its place.
func TestReliability(t *testing.T) {
	t.Parallel()
	svg := string(chart.Reliability([]chart.Reliable{{Said: .1, Was: 0, N: 90}, {Said: .5, Was: .5, N: 10}, {N: 0}, {Said: math.NaN(), Was: 2, N: 1}}))
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(svg, "<circle"); n != 3 {
		t.Errorf("%d dots", n)
	}
	if !strings.Contains(svg, `cx="180" cy="180"`) {
		t.Error("what is as likely as said is not on the diagonal")
	}
	if strings.Contains(svg, "NaN") {
		t.Error("what is no number is drawn")
	}
}
