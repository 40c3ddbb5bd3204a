package points_test

import (
	"math"
	"strings"
	"testing"

	"vigil/internal/points"
)

func FuzzDecode(f *testing.F) {
	f.Add("timestamp,value\n2026-11-02 08:00:00,1\n")
	f.Add("\"a\"\"b\";\"c\n1700000000;5")
	f.Add("1e99\t\t\t\n,,,,\n2.1.2026 15:04,0x1p-2")
	f.Fuzz(func(t *testing.T, text string) {
		d := points.New("", "")
		for line := range strings.SplitSeq(text, "\n") {
			p, err := d.Decode(line)
			if err == nil && (math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || p.Time.Year() < 1969 || p.Time.Year() > 2201) {
				t.Errorf("%q: %+v", line, p)
			}
		}
	})
}
