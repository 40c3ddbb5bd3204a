package audit

import (
	"fmt"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/document"
	"vigil/dashboards/phrase"
)

func coverage(c *Coverage) section {
	s := section{Key: "coverage", Heading: "What could not be seen"}
	empty, speaking := 0, 0
	for i := range c.Sources {
		if c.Sources[i].Events > 0 {
			speaking++
		}
		if c.Sources[i].Empty > 0 {
			empty++
		}
	}
	blind, partly := 0, 0
	for _, b := range c.Blind {
		switch b.Sight {
		case SightBlind:
			blind++
		case SightPartly:
			partly++
		}
	}
	s.Lead = append(s.Lead, fmt.Sprintf("%s in the period; on at least one day %s nothing. %s of breach of the catalogue could not have been seen with what arrived, and %s in part only.",
		came(speaking), told(empty), kinds(blind), phrase.Count(int64(partly))))
	lapses := len(c.Lapses) + c.MoreLapses
	s.Lead = append(s.Lead, fmt.Sprintf("Collectors told of %s of their sources' records; %s.",
		phrase.Plural(int64(lapses), "lapse", "lapses"), listened(len(c.Absences))))
	if len(c.Missing) > 0 {
		s.Lead = append(s.Lead, "No feed tells of: "+kindsOf(c.Missing)+". Each one that is given lets vigil see more, or excuse more.")
	}
	s.Figures = []figure{
		warned(counts(blind, "kind of breach not seen", "kinds of breach not seen"), blind),
		{Value: phrase.Count(int64(partly)), Word: "seen in part"},
		warned(counts(lapses, "lapse of a source", "lapses of sources"), lapses),
		warned(counts(len(c.Absences), "time vigil did not listen", "times vigil did not listen"), len(c.Absences)),
	}
	s.Tables = append(s.Tables, sources(c.Sources))
	if len(c.Lapses) > 0 {
		t := table{Title: "Lapses", Columns: []column{document.Left("Source", 16), document.Left("From", 16), document.Left("To", 16), document.Right("Missing", 10), document.Left("What was seen", 42)}}
		rows, left := cut(c.Lapses, MaxRows)
		for _, l := range rows {
			t.Rows = append(t.Rows, []cell{document.Name(l.Source), document.Moment(l.Start), document.Moment(l.End), document.Number(l.Missing), document.Text(l.Kind + ": " + l.Text)})
		}
		t.Note = more(left+c.MoreLapses, "lapses are")
		s.Tables = append(s.Tables, t)
	}
	if len(c.Absences) > 0 {
		t := table{Title: "When vigil did not listen", Columns: []column{document.Left("From", 40), document.Left("To", 40), document.Left("Length", 20)}}
		rows, left := cut(c.Absences, MaxRows)
		for _, p := range rows {
			t.Rows = append(t.Rows, []cell{document.Moment(p.From), document.Moment(p.To), {Text: phrase.Length(p.To.Sub(p.From))}})
		}
		t.Note = more(left, "times are")
		s.Tables = append(s.Tables, t)
	}
	s = withFindings(s, "Findings about sources", c.Silences, 0)
	s.Tables = append(s.Tables, feeds(c))
	if len(c.Blind) > 0 {
		s.Tables = append(s.Tables, meter(c))
	}
	return s
}

// counts is a number with the word that fits it.
func counts(n int, one, many string) figure {
	f := figure{Value: phrase.Count(int64(n)), Word: many}
	if n == 1 {
		f.Word = one
	}
	return f
}

func warned(f figure, n int) figure { f.Tone = warnIf(n); return f }

func warnIf(n int) tone {
	if n > 0 {
		return toneWarn
	}
	return ""
}

func came(n int) string {
	if n == 1 {
		return "1 source told something"
	}
	return phrase.Count(int64(n)) + " sources told something"
}

func told(n int) string {
	switch n {
	case 0:
		return "none told"
	case 1:
		return "1 told"
	}
	return phrase.Count(int64(n)) + " told"
}

func kinds(n int) string {
	if n == 1 {
		return "1 kind"
	}
	return phrase.Count(int64(n)) + " kinds"
}

func listened(absences int) string {
	switch absences {
	case 0:
		return "vigil itself listened all the time"
	case 1:
		return "once vigil itself did not listen"
	}
	return phrase.Count(int64(absences)) + " times vigil itself did not listen"
}

func kindsOf(list []vigil.FactKind) string {
	var out []string
	for _, k := range list {
		out = append(out, string(k))
	}
	return strings.Join(out, ", ")
}

func sources(list []Source) table {
	t := table{
		Title:   "Sources",
		Columns: []column{document.Left("Source", 24), document.Right("Events", 13), document.Left("By day", 28), document.Right("Days without", 11), document.Right("Set aside, ever", 11), document.Left("Newest event", 17)},
		Empty:   "No source told anything in the period.",
	}
	rows, left := cut(list, MaxRows)
	for i := range rows {
		x := &rows[i]
		empty := document.Number(int64(x.Empty))
		if x.Empty > 0 {
			empty.Tone = toneWarn
		}
		t.Rows = append(t.Rows, []cell{document.Name(x.Name), document.Number(x.Events), {By: x.ByDay}, empty, document.Number(x.SetAside), document.Moment(x.Last)})
	}
	t.Note = more(left, "sources are")
	return t
}

func feeds(c *Coverage) table {
	t := table{
		Title:   "Feeds, as they stand when the report is made",
		Columns: []column{document.Left("Feed", 24), document.Left("Kind", 16), document.Right("Records", 12), document.Left("Trouble", 48)},
		Empty:   "No feed is configured.",
	}
	rows, left := cut(c.Feeds, MaxRows)
	for _, f := range rows {
		trouble := cell{Text: "none", Tone: toneGood}
		if f.Trouble != "" {
			trouble = document.Text(f.Trouble).Toned(toneWarn)
		}
		t.Rows = append(t.Rows, []cell{document.Name(f.Name), document.Text(f.Kind), document.Number(int64(f.Records)), trouble})
	}
	t.Note = more(left, "feeds are")
	return t
}

func meter(c *Coverage) table {
	t := table{
		Title:   "Blind spots: which kinds of breach the logs and feeds would show",
		Columns: []column{document.Left("", 7), document.Left("Kind of breach", 27), document.Left("Seen", 10), document.Left("By", 24), document.Left("What would mend it", 34)},
		Note:    c.Sample.sampled("Which fields arrive was measured", ""),
	}
	for _, b := range c.Blind {
		sight := cell{Text: b.Sight, Tone: toneGood}
		switch b.Sight {
		case SightBlind:
			sight = cell{Text: "not seen", Tone: toneBad}
		case SightPartly:
			sight.Tone = toneWarn
		}
		t.Rows = append(t.Rows, []cell{document.Text(b.Row), document.Text(b.Name), sight, document.Text(b.By), document.Text(b.Mend)})
	}
	return t
}

func watcher(w *Watcher) section {
	s := section{Key: "watcher", Heading: "The watcher watched"}
	if w.Broken == "" {
		s.Lead = append(s.Lead, fmt.Sprintf("vigil's own audit log was verified from its first record to the last when this report was made: %s, each chained to the one before by its hash. The newest hash stands in the signed manifest, so that what is cut off or written anew later shows.",
			phrase.Plural(int64(w.Records), "record", "records")))
	} else {
		s.Lead = append(s.Lead, "vigil's own audit log is NOT whole: "+phrase.Prose(w.Broken, 400)+". What follows is what can be read of it.")
	}
	s.Lead = append(s.Lead, "Deeds and looks are written down before they happen. Here they are counted, and nobody is named; the log itself names who, by pseudonym.")
	chain := figure{Value: "whole", Word: "chain of hashes", Tone: toneGood}
	if w.Broken != "" {
		chain = figure{Value: "broken", Word: "chain of hashes", Tone: toneBad}
	}
	var deeds int64
	for _, d := range w.Deeds {
		deeds += d.Times
	}
	s.Figures = []figure{
		{Value: phrase.Count(int64(w.Records)), Word: "records in all"}, chain,
		{Value: phrase.Count(deeds), Word: "in the period"},
		counts(len(w.Settings), "change of the configuration", "changes of the configuration"),
		counts(len(w.Rules), "change of rules", "changes of rules"),
	}
	t := table{
		Title:   "What was done and looked at",
		Columns: []column{document.Left("What", 46), document.Left("By", 24), document.Right("Times", 14), document.Right("Different things", 16)},
		Empty:   "Nothing was done or looked at in the period.",
	}
	rows, left := cut(w.Deeds, MaxRows)
	for _, d := range rows {
		t.Rows = append(t.Rows, []cell{document.Text(d.What), document.Text(d.By), document.Number(d.Times), document.Number(d.Things)})
	}
	t.Note = more(left, "kinds are")
	s.Tables = append(s.Tables, t)
	changes := table{Title: "Changes of the configuration and of rules", Columns: []column{document.Left("When", 18), document.Left("By", 14), document.Left("What", 68)}, Note: more(w.More, "changes are")}
	for _, list := range [][]Change{w.Settings, w.Rules} {
		for _, c := range list {
			changes.Rows = append(changes.Rows, []cell{document.Moment(c.Time), document.Text(c.By), document.Text(c.What)})
		}
	}
	listed, left := cut(changes.Rows, MaxRows)
	if changes.Rows = listed; left > 0 {
		changes.Note = more(left+w.More, "changes are")
	}
	if len(changes.Rows) > 0 {
		s.Tables = append(s.Tables, changes)
	}
	return s
}

// length is a time span that may be none.
func length(d time.Duration, of int) string {
	if of == 0 {
		return phrase.None
	}
	return phrase.Length(d)
}
