package theme_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vigil/dashboards/theme"
)

var token = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)

// schemes reads the colours of light and of dark.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	light, dark, ok := strings.Cut(theme.CSS(), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("no dark scheme")
	}
	out := map[string]map[string]string{"light": {}, "dark": {}}
	for name, part := range map[string]string{"light": light, "dark": dark} {
		for _, m := range token.FindAllStringSubmatch(part, -1) {
			out[name][m[1]] = m[2]
		}
	}
	return out
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift uint) float64 {
		c := float64(n>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	var pairs []struct {
		front, back string
		least       float64
	}
	add := func(least float64, front string, backs ...string) {
		for _, back := range backs {
			pairs = append(pairs, struct {
				front, back string
				least       float64
			}{front, back, least})
		}
	}
	add(4.5, "ink", "ground", "paper", "sunk", "span")
	add(4.5, "soft", "ground", "paper", "sunk", "span")
	add(4.5, "accent", "ground", "paper", "sunk")
	add(4.5, "critical", "critical-ground", "paper", "ground")
	add(4.5, "high", "high-ground", "paper")
	add(4.5, "medium", "medium-ground", "paper", "ground")
	add(4.5, "low", "low-ground", "paper")
	add(3, "mark", "ground", "paper")
	add(3, "good", "paper")
	add(3, "bar", "paper")
	add(3, "critical", "span")
	add(3, "accent", "band")
	for name, colours := range schemes(t) {
		for _, p := range pairs {
			front, back := colours[p.front], colours[p.back]
			if front == "" || back == "" {
				t.Errorf("%s: %s or %s is not set", name, p.front, p.back)
				continue
			}
			if c := contrast(t, front, back); c < p.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, p.front, p.back, c, p.least)
			}
		}
	}
}

func TestStandsAlone(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"url(", "@import", "http", "</"} {
		if strings.Contains(theme.CSS(), bad) {
			t.Errorf("the style sheet holds %q", bad)
		}
	}
}
