package detector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
)

const (
	// maxLapses bounds the sources' lapses that are remembered, one for each source and
	// kind. When there is one more, the one that was quiet for longest makes room.
	maxLapses = 1024
	// lapseQuiet is after how long without another one such a finding closes. The next
	// lapse of that kind then opens a new one.
	lapseQuiet = 24 * hourNanos
	// lapseText bounds what is repeated of a collector's words, in bytes.
	lapseText = 600
)

// lapses are what collectors saw of their sources themselves, one finding for each source
// and kind, sorted by both.
type lapses []*lapsing

// lapsing is a source's lapses of one kind.
type lapsing struct {
	Finding vigil.Finding
	Kind    vigil.LapseKind
	// Count is how many there were, Missing the sum of the records that are missing by
	// those that could tell; Untold is how many could not.
	Count, Missing, Untold int64
	// Newest is when the newest was seen, Said what was said of it.
	Newest int64
	Said   string
	// Told and ToldMissing are Count and Missing when it last came out.
	Told, ToldMissing int64
}

// lapse folds a control record that holds one, and reports whether it could be read.
func (s *shared) lapse(data []byte) bool {
	var l vigil.Lapse
	if json.Unmarshal(data, &l) != nil || l.Source == "" || !slices.Contains(vigil.LapseKinds(), l.Kind) || l.End.IsZero() {
		return false
	}
	if l.Start.IsZero() || l.Start.After(l.End) {
		l.Start = l.End
	}
	at, known := slices.BinarySearchFunc(s.lapses, &l, func(x *lapsing, l *vigil.Lapse) int {
		return cmp.Or(strings.Compare(x.Finding.Source, l.Source), cmp.Compare(x.Kind, l.Kind))
	})
	if known && l.End.UnixNano()-s.lapses[at].Newest >= lapseQuiet {
		s.closeLapse(s.lapses[at])
		s.lapses = slices.Delete(s.lapses, at, at+1)
		known = false
	}
	if !known {
		if len(s.lapses) >= maxLapses {
			if room := s.dropLapse(); room < at {
				at--
			}
		}
		s.lapses = slices.Insert(s.lapses, at, newLapsing(&l))
	}
	s.lapses[at].take(&l)
	s.tellLapse(s.lapses[at])
	return true
}

func newLapsing(l *vigil.Lapse) *lapsing {
	return &lapsing{Kind: l.Kind, Finding: vigil.Finding{
		ID: findingID("lapse\x00"+l.Source, string(l.Kind), l.End.UnixNano()), State: vigil.StateOpen, About: vigil.AboutSource, Source: l.Source,
		Start: l.Start.UTC(), End: l.End.UTC(), Detected: l.End.UTC(), Lane: "rule", Rule: "source-" + string(l.Kind), Evidence: ruleEvidence,
		Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}}
}

func (x *lapsing) take(l *vigil.Lapse) {
	f := &x.Finding
	if l.Start.Before(f.Start) {
		f.Start = l.Start.UTC()
	}
	if l.End.After(f.End) {
		f.End = l.End.UTC()
	}
	x.Count++
	if l.Missing >= 0 {
		x.Missing += min(l.Missing, 1<<50-x.Missing) // no sum of theirs overflows
	} else {
		x.Untold++
	}
	if end := l.End.UnixNano(); end >= x.Newest || x.Said == "" {
		x.Newest, x.Said = end, strings.ToValidUTF8(l.Text[:min(len(l.Text), lapseText)], "")
	}
}

// tellLapse hands the finding out when it is new, or has grown by a quarter.
func (s *shared) tellLapse(x *lapsing) {
	if x.Told > 0 && !grew(x.Count, x.Told) && !grew(x.Missing, x.ToldMissing) {
		return
	}
	x.complete()
	s.found = append(s.found, x.copy())
}

// closeLapse tells a last time what there was.
func (s *shared) closeLapse(x *lapsing) {
	x.Finding.State = vigil.StateClosed
	x.complete()
	s.found = append(s.found, x.copy())
}

// dropLapse makes room by closing the one that was quiet for longest, and returns where
// it stood.
func (s *shared) dropLapse() int {
	oldest := 0
	for i, x := range s.lapses {
		if x.Newest < s.lapses[oldest].Newest {
			oldest = i
		}
	}
	s.closeLapse(s.lapses[oldest])
	s.lapses = slices.Delete(s.lapses, oldest, oldest+1)
	return oldest
}

// settleLapses closes those that were quiet for a day, as of now.
func (s *shared) settleLapses(now int64) {
	s.lapses = slices.DeleteFunc(s.lapses, func(x *lapsing) bool {
		quiet := now-x.Newest >= lapseQuiet
		if quiet {
			s.closeLapse(x)
		}
		return quiet
	})
}

func (x *lapsing) copy() vigil.Finding {
	f := x.Finding
	f.Contributions = slices.Clone(f.Contributions)
	return f
}

// lapseWords say of each kind what it is, what to do, and what would have spared it.
var lapseWords = map[vigil.LapseKind]struct{ what, once, often, todo, without string }{
	vigil.LapseHole: {"Records of source %s are missing", "one hole in the numbers of its records", "holes in the numbers of its records",
		"Find out whether they were deleted, or lost on the way.", "No finding if the numbers had gone on without a hole."},
	vigil.LapseReset: {"Source %s began anew", "its numbering or contents began anew once", "its numbering or contents began anew",
		"Find out who restored, rotated or emptied it.", "No finding if its numbers or contents had gone on where they were."},
	vigil.LapseClock: {"The clock of source %s jumped", "one jump of its clock", "jumps of its clock",
		"Set its clock by a time server, and check its time zone.", "No finding if its times had gone on with the clock."},
	vigil.LapseDropped: {"Records of source %s were thrown away", "one loss that the source or the way from it tells of", "losses that the source or the way from it tells of",
		"Give the way from it more room, and look elsewhere for what was lost.", "No finding if nothing had been thrown away."},
	vigil.LapseUnaudited: {"Auditing was switched off or cut down at source %s", "one change of its auditing", "changes of its auditing",
		"Ask who changed it, switch it on again, and treat what was done meanwhile as unseen.", "No finding if its auditing had been left as it was."},
	vigil.LapseForged: {"What came in the name of source %s is not its own stream", "one batch that was replayed, forked or not signed with its key", "batches that were replayed, forked or not signed with its key",
		"Take its key back, and look at the machine that it is on.", "No finding if each batch had followed the one before, signed with its key."},
	vigil.LapseUnread: {"Most of what source %s sends can't be read", "one time in which most of its records could not be read", "times in which most of its records could not be read",
		"See with vigil sources status --quarantine what they are, and fit its format or mapping.", "No finding if its records had stayed readable, as they were before."},
	vigil.LapseFlood: {"More came at once than people can be told one by one (%s)", "one flood of cases", "floods of cases",
		"Look through the queue: a flood may be there to hide something.", "No finding if cases had come no faster than the limits allow."},
}

// complete writes what is known into the finding.
func (x *lapsing) complete() {
	f := &x.Finding
	w := lapseWords[x.Kind]
	f.Severity, f.Harm = x.severity()
	seen := plural(x.Count, w.once, w.often)
	if x.Count == 1 {
		seen = w.once
	}
	f.Contributions = []vigil.Contribution{{
		Model: "rule", Observation: "lapse", Span: "day", SpanStart: f.Start, Frame: "everyone",
		Seen: float64(x.Count), P: 1e-9, E: 1e9, Share: 1, Text: seen + x.missing(),
	}}
	text := fmt.Sprintf(w.what, f.Source) + " " + spell(f.Start, f.End) + ": " + seen + x.missing() + "."
	if said := strings.TrimSpace(x.Said); said != "" {
		text += " " + strings.TrimSuffix(said, ".") + "."
	}
	f.Sentence = text + " " + w.todo
	f.Counterfactual = w.without
	f.Revision++
	x.Told, x.ToldMissing = x.Count, x.Missing
}

// missing says how many records are, as far as is known.
func (x *lapsing) missing() string {
	word := ", %s missing"
	if x.Kind == vigil.LapseUnread {
		word = ", %s set aside"
	}
	switch {
	case x.Missing > 0 && x.Untold > 0:
		return fmt.Sprintf(word, "at least "+plural(x.Missing, "record", "records"))
	case x.Missing > 0:
		return fmt.Sprintf(word, plural(x.Missing, "record", "records"))
	case x.Untold > 0 && (x.Kind == vigil.LapseHole || x.Kind == vigil.LapseDropped):
		return ", nobody can tell how many records"
	}
	return ""
}

// Of how many missing records on a loss counts for something, and for much.
const (
	someMissing = 10
	muchMissing = 10_000
)

// severity is by what may have been hidden: who switches auditing off or forges a stream
// can hide anything; a hole hides what fits into it.
func (x *lapsing) severity() (vigil.Severity, float64) {
	switch {
	case x.Kind == vigil.LapseUnaudited, x.Kind == vigil.LapseForged, x.Kind == vigil.LapseFlood:
		return vigil.SeverityHigh, 100
	case x.Missing >= muchMissing:
		return vigil.SeverityHigh, 100
	case x.Kind == vigil.LapseUnread:
		return vigil.SeverityMedium, 5
	case x.Kind == vigil.LapseReset, x.Kind == vigil.LapseClock:
		if x.Count >= someMissing || x.Missing >= someMissing {
			return vigil.SeverityMedium, 5
		}
		return vigil.SeverityLow, 1
	case x.Untold > 0, x.Missing >= someMissing:
		return vigil.SeverityMedium, 5
	}
	return vigil.SeverityLow, 1
}

// spell says when something was, from a time to another.
func spell(from, to time.Time) string {
	if to.Sub(from) < time.Minute {
		return "at " + from.UTC().Format("2 Jan 15:04 UTC")
	}
	return fmt.Sprintf("between %s and %s", from.UTC().Format("2 Jan 15:04"), to.UTC().Format("2 Jan 15:04 UTC"))
}
