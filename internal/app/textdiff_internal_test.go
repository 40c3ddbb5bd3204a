package app

import (
	"strings"
	"testing"
)

func TestTextsAreComparedByLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("same\n", 10)
	for name, c := range map[string]struct{ before, after, want string }{
		"the same":      {"a\nb\n", "a\nb\n", "…"},
		"both empty":    {"", "", ""},
		"all new":       {"", "a\nb\n", "+a|+b"},
		"all gone":      {"a\nb", "", "-a|-b"},
		"one changed":   {"a\nb\nc\n", "a\nx\nc\n", " a|-b|+x| c"},
		"one put in":    {"a\nc\n", "a\nb\nc\n", " a|+b| c"},
		"one moved":     {"a\nb\nc\n", "b\nc\na\n", "-a| b| c|+a"},
		"far from it":   {long + "x\n" + long, long + "y\n" + long, "…| same| same| same|-x|+y| same| same| same|…"},
		"no line feed":  {"a", "a\n", "…"},
		"an empty line": {"a\n\nb", "a\nb", " a|-| b"},
	} {
		if got := strings.Join(differingLines(c.before, c.after), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	// One that is long beyond measure is bounded.
	many := strings.Repeat("x\n", 100_000)
	if n := len(differingLines("a\n"+many+"b", "c\n"+many+"d")); n > 2*maxDiffed {
		t.Errorf("%d lines", n)
	}
}
