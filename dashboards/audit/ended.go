package audit

import (
	"fmt"
	"time"

	"vigil/dashboards/document"
	"vigil/dashboards/phrase"
)

func findings(f *Findings, to time.Time) section {
	s := section{Key: "findings", Heading: "What was found, and how it ended"}
	var sum Outcomes
	for _, o := range f.Severities {
		sum.Breach, sum.Misuse, sum.Expected, sum.Unknown, sum.Unjudged = sum.Breach+o.Breach, sum.Misuse+o.Misuse, sum.Expected+o.Expected, sum.Unknown+o.Unknown, sum.Unjudged+o.Unjudged
	}
	s.Lead = append(s.Lead, fmt.Sprintf("%s declared in the period. People said of %s that it was a breach, of %s misuse, of %s that it was expected, and of %s that it can't be told; %s without a verdict.",
		declared(f.Total), phrase.Count(int64(sum.Breach)), phrase.Count(int64(sum.Misuse)), phrase.Count(int64(sum.Expected)), phrase.Count(int64(sum.Unknown)), are(sum.Unjudged)))
	if f.Judged > 0 {
		s.Lead = append(s.Lead, fmt.Sprintf("Half of the verdicts came within %s of the detection (of %s).", phrase.Length(f.ToVerdict), phrase.Plural(int64(f.Judged), "finding", "findings")))
	}
	if f.Acknowledged > 0 {
		s.Lead = append(s.Lead, fmt.Sprintf("Half of the cases were acknowledged within %s (of %s).", phrase.Length(f.ToAcknowledge), phrase.Plural(int64(f.Acknowledged), "case", "cases")))
	}
	s.Lead = append(s.Lead, budget(f))
	s.Figures = []figure{
		{Value: phrase.Count(int64(f.Total)), Word: "findings"},
		{Value: phrase.Count(int64(sum.Breach + sum.Misuse)), Word: "breach or misuse", Tone: badIf(sum.Breach + sum.Misuse)},
		{Value: phrase.Count(int64(sum.Expected)), Word: "expected"},
		{Value: phrase.Count(int64(sum.Unjudged)), Word: "without a verdict", Tone: warnIf(sum.Unjudged)},
		{Value: length(f.ToVerdict, f.Judged), Word: "to a verdict, median"},
	}
	if c := f.Cases; c != nil {
		s.Figures = append(s.Figures, figure{Value: length(f.ToAcknowledge, f.Acknowledged), Word: "to acknowledge, median"})
		lead := fmt.Sprintf("Of the cases of the period (%s), %s are new, %s acknowledged, %s resolved.",
			phrase.Count(int64(c.Total)), phrase.Count(int64(c.New)), phrase.Count(int64(c.Acknowledged)), phrase.Count(int64(c.Resolved)))
		if c.Held > 0 {
			lead += fmt.Sprintf(" Of %s no message of its own was sent.", phrase.Count(int64(c.Held)))
		}
		if c.Aware > 0 {
			lead += fmt.Sprintf(" The 72-hour clock of a notification to the authority was started for %s.", phrase.Count(int64(c.Aware)))
		}
		s.Lead = append(s.Lead, lead)
	}
	if f.Total > 0 {
		s.Tables = append(s.Tables, outcomes("By severity", f.Severities), outcomes("By how it was found", f.Scenarios))
	}
	s = withFindings(s, "The gravest findings", f.List, f.More)
	if len(f.Exceptions) > 0 {
		t := table{
			Title: "Exceptions that were made, held or ended in the period",
			Columns: []column{document.Left("Exception", 20), document.Left("For", 20), document.Left("Expects", 11), document.Left("Made", 13), document.Left("Until", 13),
				document.Left("State", 13), document.Left("Why", 26)},
		}
		rows, left := cut(f.Exceptions, MaxRows)
		for _, x := range rows {
			t.Rows = append(t.Rows, []cell{document.Name(x.ID), document.Name(x.Who), document.Text(x.Scope), document.Day(x.Made), document.Day(x.To), state(x.State, x.To, to), document.Text(x.Note)})
		}
		t.Note = more(left, "exceptions are")
		s.Tables = append(s.Tables, t)
	}
	if len(f.Silences) > 0 {
		t := table{
			Title:   "Silences that were made, held or ended in the period",
			Columns: []column{document.Left("Silence", 18), document.Left("Of what", 26), document.Left("Made", 13), document.Left("Until", 13), document.Left("State", 13), document.Left("Why", 28)},
		}
		rows, left := cut(f.Silences, MaxRows)
		for _, x := range rows {
			t.Rows = append(t.Rows, []cell{document.Name(x.ID), document.Text(x.What), document.Day(x.Made), document.Day(x.To), state(x.State, x.To, to), document.Text(x.Note)})
		}
		t.Note = more(left, "silences are")
		s.Tables = append(s.Tables, t)
	}
	return s
}

func badIf(n int) tone {
	if n > 0 {
		return toneBad
	}
	return ""
}

func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return phrase.Count(int64(n)) + " are"
}

func declared(n int) string {
	if n == 1 {
		return "1 finding was"
	}
	return phrase.Count(int64(n)) + " findings were"
}

// soon is within what time an end is told as near.
const soon = 30 * 24 * time.Hour

// state is a cell that sets off what is about to end.
func state(s string, end, to time.Time) cell {
	c := document.Text(s)
	if s == "holds" && !end.IsZero() && end.Sub(to) < soon {
		c = cell{Text: "holds, ends soon", Tone: toneWarn}
	}
	return c
}

// budget holds what was asked against what was spent.
func budget(f *Findings) string {
	if f.Days <= 0 {
		return ""
	}
	if f.Asked <= 0 {
		return fmt.Sprintf("No alert budget is known; %s weighed by evidence were declared, %s a day.",
			phrase.Plural(int64(f.Spent), "finding", "findings"), phrase.Number(float64(f.Spent)/f.Days))
	}
	return fmt.Sprintf("The alert budget allows %s false findings a day, %s in the period: %s weighed by evidence were declared, of which people called %s expected. Rules are outside of the budget.",
		phrase.Number(f.Asked), phrase.Number(f.Asked*f.Days), phrase.Plural(int64(f.Spent), "finding", "findings"), phrase.Count(int64(f.Wrong)))
}

func outcomes(title string, list []Outcomes) table {
	t := table{
		Title: title,
		Columns: []column{document.Left("", 34), document.Right("Findings", 11), document.Right("Breach", 11), document.Right("Misuse", 11), document.Right("Expected", 11),
			document.Right("Unknown", 11), document.Right("None yet", 11)},
	}
	rows, left := cut(list, MaxRows)
	for _, o := range rows {
		row := []cell{document.Text(o.Name)}
		for i, n := range []int{o.Total, o.Breach, o.Misuse, o.Expected, o.Unknown, o.Unjudged} {
			c := document.Number(int64(n))
			switch {
			case n == 0:
				c.Tone = toneSoft
			case i == 1 || i == 2:
				c.Tone = toneBad
			case i == 5:
				c.Tone = toneWarn
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = more(left, "kinds are")
	return t
}
