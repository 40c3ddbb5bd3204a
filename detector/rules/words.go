package rules

import (
	"fmt"
	"strconv"

	"vigil"
	"vigil/internal/yaml"
)

// closedSets are the fields of which all values are known.
var closedSets = func() map[string][]string {
	out := map[string][]string{
		"kind":    {"human", "service", "bot", "vendor", "admin", "anonymous"},
		"outcome": {string(vigil.OutcomeSuccess), string(vigil.OutcomeDenied), string(vigil.OutcomeError)},
		"weekday": weekdays[:],
	}
	for _, a := range vigil.Actions() {
		out["action"] = append(out["action"], string(a))
	}
	return out
}()

// names lists the fields' names.
func names() []string {
	fields := Fields()
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

// suggest names what was likely meant, else says otherwise.
func suggest(word string, candidates []string, otherwise string) string {
	if near := yaml.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// group writes a count with separators: 12,345.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
