package vigil_test

import (
	"testing"
	"time"

	"vigil"
)

// An exception that begins only after what is judged is neither in force there nor over.
func TestWhenAnExceptionHoldsAndIsOver(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 2, 14, 0, 0, 0, time.UTC)
	x := vigil.Exception{Period: vigil.Period{From: from, To: from.AddDate(0, 0, 7)}}
	ended := x
	ended.Ended = true
	for name, c := range map[string]struct {
		x           vigil.Exception
		at          time.Time
		holds, over bool
	}{
		"before it":     {x, from.Add(-time.Hour), false, false},
		"as it begins":  {x, from, true, false},
		"as it is past": {x, x.To, false, true},
		"ended":         {ended, from, false, true},
	} {
		if holds, over := c.x.Holds(c.at), c.x.Over(c.at); holds != c.holds || over != c.over {
			t.Errorf("%s: holds %v, over %v", name, holds, over)
		}
	}
}
