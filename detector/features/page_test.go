package features_test

import (
	"testing"

	"vigil"
	"vigil/detector/features"
)

func TestRecordsOfOneAccess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows, count, limit int64
		subjects           []string
		want               int64
	}{
		"nothing is told":        {vigil.Unknown, vigil.Unknown, vigil.Unknown, nil, vigil.Unknown},
		"rows come first":        {3, 100, 500, []string{"a"}, 3},
		"none came back":         {0, vigil.Unknown, 500, nil, 0},
		"then customers counted": {vigil.Unknown, 100, 500, []string{"a"}, 100},
		"then customers named":   {vigil.Unknown, vigil.Unknown, 500, []string{"a", "b"}, 2},
		"then what was asked":    {vigil.Unknown, vigil.Unknown, 500, nil, 500},
	} {
		e := &vigil.Event{Rows: c.rows, SubjectCount: c.count, Limit: c.limit, Subjects: c.subjects}
		if got := features.Records(e); got != c.want {
			t.Errorf("%s: %d records, want %d", name, got, c.want)
		}
	}
}

func TestThePageOfASpanIsItsMostUnusual(t *testing.T) {
	t.Parallel()
	var s features.Span
	s.Begin(1)
	if _, ok := s.Measure(features.Page); ok {
		t.Error("a span tells a page before anything is known")
	}
	for _, step := range []struct {
		raw  float64
		news bool
	}{{0.5, false}, {1.9, false}, {2.5, false}, {4, true}, {3, false}, {4.5, false}, {9, true}} {
		if news := s.AddPage(features.PageSize{Raw: step.raw, Records: 10 * step.raw}); news != step.news {
			t.Errorf("a page of %g decades is news: %t", step.raw, news)
		}
	}
	if raw, ok := s.Measure(features.Page); !ok || raw != 9 || s.Largest().Records != 90 {
		t.Errorf("the span's page is %g (%+v)", raw, s.Largest())
	}
	state, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	var back features.Span
	if err := back.Restore(state); err != nil || back.Largest() != s.Largest() {
		t.Errorf("restored as %+v, %v", back.Largest(), err)
	}
}
