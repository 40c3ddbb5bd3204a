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

// What is right lies on the diagonal; a share of nothing ends its line; nothing but numbers
// and escaped words is drawn.
func TestCalibration(t *testing.T) {
	t.Parallel()
	svg := string(chart.Calibration("m", `<volume> & "more"`, "it is right", 1, []float64{1, .1, .01, 0, .5}, []float64{1, math.NaN(), math.Inf(1)}))
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(svg, `<polyline class="ranked" points="62,8 99.6,40.4 137.2,72.8"/>`) {
		t.Errorf("what is right is not on the diagonal, or goes on after nothing:\n%s", svg)
	}
	for _, bad := range []string{"NaN", "Inf", "<volume>", "style=", `class="plain"`} {
		if strings.Contains(svg, bad) {
			t.Errorf("%q is drawn", bad)
		}
	}
}
