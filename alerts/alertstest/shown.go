package alertstest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Strings is all strings in a JSON body, and those of them that are an address and
// nothing else.
func Strings(tb testing.TB, r Request) (text string, links []string) {
	tb.Helper()
	if len(r.Body) == 0 {
		return "", nil
	}
	var v any
	if err := json.Unmarshal(r.Body, &v); err != nil {
		tb.Errorf("the body is no JSON: %v", err)
		return "", nil
	}
	var all []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			all = append(all, v)
			if scheme, _, ok := strings.Cut(v, ":"); ok && slices.Contains([]string{"http", "https", "javascript", "data", "file", "vbscript"}, strings.ToLower(scheme)) && !strings.ContainsAny(v, " \n") {
				links = append(links, v)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k])
			}
		}
	}
	walk(v)
	return strings.Join(all, "\n"), links
}
