package evidence_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/internal/evidence"
)

// Columns side by side hold what whole rows do.
func TestColumns(t *testing.T) {
	t.Parallel()
	rows := traffic(5_000)
	for i := range rows {
		switch e := rows[i].Event; {
		case i%7 == 0:
			e.Subjects = nil
		case i%5 == 0:
			e.Subjects = append(e.Subjects, "another", "a-third")
		}
	}
	s, _ := open(t)
	seg, err := s.Write(t.Context(), "a.parquet", rows) // sorts them
	if err != nil {
		t.Fatal(err)
	}
	texts := []evidence.Text{
		evidence.TextActor, evidence.TextSubjects, evidence.TextConversation, evidence.TextSession, evidence.TextNetwork, evidence.TextCountry,
		evidence.TextASN, evidence.TextStore, evidence.TextResource, evidence.TextOutcome, evidence.TextAction,
	}
	for name, q := range map[string]evidence.Query{"all": {}, "one actor": {Actor: "agent-17"}, "nobody": {Actor: "nobody"}} {
		var matching []evidence.Row
		for _, row := range rows {
			if q.Match(row.Event) {
				matching = append(matching, row)
			}
		}
		got, err := s.Columns(t.Context(), seg, q, texts...)
		if err != nil {
			t.Fatal(err)
		}
		want := evidence.ColumnsOf(matching, texts...)
		if len(want.Times) == 0 {
			want, got = evidence.Columns{}, evidence.Columns{Times: got.Times}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%.1000s", name, diff)
		}
	}
}
