package formatstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil/collectors/formats"
)

// Large reads a record of nearly the largest size: a JSON object of a format's own with
// much in front of what matters, as one long string, as many keys, and as a long list of
// pairs. It fails when one takes far longer than the 50 ms that a record may: machines
// that test have other work, and the race detector slows all.
func Large(t *testing.T, f formats.Format, object string) {
	t.Helper()
	const most = time.Second
	var keys, pairs strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&keys, `"k%d":{"a":[%d]},`, i, i)
		fmt.Fprintf(&pairs, `{"Name":"n%d","name":"n%d"},`, i, i)
	}
	for name, pad := range map[string]string{
		"a long string": `"pad":"` + strings.Repeat("x", 1000<<10) + `",`,
		"many keys":     keys.String(),
		"a long list":   `"pad":[` + strings.TrimSuffix(pairs.String(), ",") + `],`,
	} {
		text := "{" + pad + strings.TrimPrefix(object, "{") + "\n"
		fastest := time.Hour
		for range 3 {
			start := time.Now()
			events, errs := Decode(t, f, formats.Options{}, text)
			fastest = min(fastest, time.Since(start))
			if len(events) == 0 || len(errs) > 0 {
				t.Fatalf("%s: %d events, %v", name, len(events), errs)
			}
		}
		t.Logf("%s: %v", name, fastest)
		if fastest > most {
			t.Errorf("%s: a record took %v", name, fastest)
		}
	}
}
