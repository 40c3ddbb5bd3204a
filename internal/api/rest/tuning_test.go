package rest_test

import (
	"context"
	"fmt"
	"testing"

	"vigil/internal/api"
	"vigil/internal/api/rest"
)

// tuner keeps what it is asked; revision 4 is the one that counts.
type tuner struct {
	proposed []api.Proposing
	answered []api.Answering
	compared [2]int
}

func (t *tuner) Tuning(context.Context) (api.TuningView, error) {
	return api.TuningView{Budget: 2, Revision: 4, Lanes: []api.Lane{{Name: "day"}}}, nil
}

func (t *tuner) Difference(_ context.Context, from, to int) (api.VersionDifference, error) {
	t.compared = [2]int{from, to}
	if to > 5 {
		return api.VersionDifference{}, fmt.Errorf("version %d: %w", to, api.ErrNotFound)
	}
	return api.VersionDifference{Newest: 5, Rules: []api.RuleDifference{}}, nil
}

func (t *tuner) Propose(_ context.Context, p api.Proposing) (api.Proposal, error) {
	if p.Seen != api.AnyRevision && p.Seen != 4 {
		return api.Proposal{}, api.ErrStale
	}
	t.proposed = append(t.proposed, p)
	return api.Proposal{ID: "s-1", Why: p.Why}, nil
}

func (t *tuner) Answer(_ context.Context, a api.Answering) error {
	if a.ID != "s-1" {
		return api.ErrStale
	}
	t.answered = append(t.answered, a)
	return nil
}

// A program sees the setting, compares versions, proposes and answers.
func TestTheSettingIsChangedByPrograms(t *testing.T) {
	t.Parallel()
	do := &tuner{}
	h := servingWith(t, rest.Services{Reader: newStore(1), Tuner: do})
	for name, x := range map[string]struct {
		method, path, body string
		head               []string
		code               int
		kind               api.Code
	}{
		"the setting":         {"GET", "/api/v1/tuning", "", nil, 200, ""},
		"no such version":     {"GET", "/api/v1/tuning/difference?to=6", "", nil, 404, api.CodeNotFound},
		"no version":          {"GET", "/api/v1/tuning/difference?to=-1", "", nil, 400, api.CodeBadRequest},
		"a stale revision":    {"POST", "/api/v1/tuning/proposals", `{"per_day":2,"why":"x"}`, []string{"If-Match", `"3"`}, 412, api.CodeStale},
		"an unknown key":      {"POST", "/api/v1/tuning/proposals", `{"per_day":2,"seen":4}`, nil, 400, api.CodeBadRequest},
		"answered already":    {"POST", "/api/v1/tuning/proposals/s-2/confirm", "", nil, 409, api.CodeStale},
		"withdrawn":           {"DELETE", "/api/v1/tuning/proposals/s-1", "", nil, 200, ""},
		"confirmed":           {"POST", "/api/v1/tuning/proposals/s-1/confirm", "", nil, 200, ""},
		"proposed":            {"POST", "/api/v1/tuning/proposals", `{"version":3,"only":"rules","why":"x"}`, []string{"If-Match", `"4"`, rest.OnceHeader, "k"}, 200, ""},
		"proposed in any way": {"POST", "/api/v1/tuning/proposals", `{"per_day":0,"why":"x"}`, nil, 200, ""},
	} {
		got := ask(t, h, x.method, x.path, x.body, x.head...)
		if got.code != x.code {
			t.Errorf("%s: %d %s", name, got.code, got.body)
			continue
		}
		if x.kind != "" && got.problem(t).Code != x.kind {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	if got := ask(t, h, "GET", "/api/v1/tuning/difference?from=2&to=3", ""); got.code != 200 || do.compared != [2]int{2, 3} {
		t.Errorf("compared %v: %d %s", do.compared, got.code, got.body)
	}
	var confirmed, keyed, zero bool
	for _, a := range do.answered {
		confirmed = confirmed || a.Confirm
	}
	for _, p := range do.proposed {
		keyed = keyed || p.Key != "" && p.Seen == 4 && p.Version == 3 && p.Only == api.PartRules
		zero = zero || p.PerDay != nil && *p.PerDay == 0 && p.Seen == api.AnyRevision
	}
	if len(do.answered) != 2 || !confirmed || len(do.proposed) != 2 || !keyed || !zero {
		t.Errorf("answered %+v, proposed %+v", do.answered, do.proposed)
	}
}
