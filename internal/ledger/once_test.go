package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil/internal/api"
	"vigil/internal/ledger"
)

// What was done once is kept for a day, as it was, over a restart; of too many the oldest go.
func TestWhatWasDoneOnceIsKept(t *testing.T) {
	t.Parallel()
	now := start
	cfg, opts := ledger.Config{Dir: t.TempDir()}, ledger.Options{Now: func() time.Time { return now }}
	l := open(t, cfg, opts)
	want := api.DoneOnce{Print: "p", Answer: []byte(`{"id":"x"}`), Revision: 3}
	if _, ok, err := l.Answered(t.Context(), "k"); ok || err != nil {
		t.Fatalf("before: %v, %v", ok, err)
	}
	if err := l.KeepAnswer(t.Context(), "k", want); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, cfg, opts)
	got, ok, err := l.Answered(t.Context(), "k")
	if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
		t.Errorf("%v, %v: %s", ok, err, diff)
	}
	now = now.Add(24*time.Hour + 1)
	if _, ok, _ := l.Answered(t.Context(), "k"); ok {
		t.Error("it is kept for longer than a day")
	}
	now = start
	for i := range 2_005 {
		now = now.Add(time.Second)
		if err := l.KeepAnswer(t.Context(), fmt.Sprint(i), want); err != nil {
			t.Fatal(err)
		}
	}
	for key, kept := range map[string]bool{"k": false, "0": false, "4": false, "5": true, "2004": true} {
		if _, ok, err := l.Answered(t.Context(), key); ok != kept || err != nil {
			t.Errorf("of 2,005, %s is kept: %v, %v", key, ok, err)
		}
	}
}
