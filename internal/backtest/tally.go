package backtest

import (
	"vigil"
	"vigil/detector"
	"vigil/internal/api"
)

// tally asks for the p-values of the task's time. What people said to be a breach or misuse
// is left out: there p-values have to be small.
func (t *Task) tally() *detector.TallyOptions {
	o := &detector.TallyOptions{From: t.From, To: t.To}
	for i := range t.Judged {
		f := &t.Judged[i]
		if f.Verdict != nil && f.Verdict.Word.Bad() && f.About == vigil.AboutActor {
			o.Without = append(o.Without, detector.Untaught{Tenant: f.Tenant, Actor: f.Actor, From: f.Start, To: f.End})
		}
	}
	return o
}

func modelsOf(e *detector.Engine) (out []api.ReplayModel) {
	for _, t := range e.Tallies() {
		out = append(out, api.ReplayModel{Model: t.Model, Answers: t.Answers, Below: t.Below[:], Scored: t.Scored, Scores: t.Scores[:]})
	}
	return out
}
