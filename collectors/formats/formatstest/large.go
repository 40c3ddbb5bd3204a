package formatstest

import (
	"fmt"
	"strings"
	"testing"

	"vigil/collectors/formats"
)

// Large reads a record of nearly the largest size: a JSON object of a format's own with
// much in front of what matters, as one long string, as many keys, and as a long list of
// pairs. What such a record costs is measured by the catalog's benchmark.
func Large(t *testing.T, f formats.Format, object string) {
	t.Helper()
	var keys, pairs strings.Builder
	for i := range 20_000 {
		if i < 9_000 {
			fmt.Fprintf(&keys, `"k%d":{"a":[%d]},`, i, i)
		}
		fmt.Fprintf(&pairs, `{"Name":"n%d","name":"n%d"},`, i, i)
	}
	for name, pad := range map[string]string{
		"a long string": `"pad":"` + strings.Repeat("x", 1000<<10) + `",`,
		"many keys":     keys.String(),
		"a long list":   `"pad":[` + strings.TrimSuffix(pairs.String(), ",") + `],`,
	} {
		text := "{" + pad + strings.TrimPrefix(object, "{") + "\n"
		if events, errs := Decode(t, f, formats.Options{}, text); len(events) == 0 || len(errs) > 0 {
			t.Errorf("%s: %d events, %v", name, len(events), errs)
		}
	}
}
