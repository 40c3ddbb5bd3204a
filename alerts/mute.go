package alerts

import (
	"time"

	"vigil"
)

// mute says whether somebody asked to be left alone with this, and until when: a silence
// that fits the finding, or the case's snooze. Who asks for it means what they know: a
// case that got graver since is told all the same.
func mute(in *Input) (why vigil.MuteReason, until time.Time) {
	if in.graver() {
		return "", time.Time{}
	}
	for i := range in.Silences {
		if s := &in.Silences[i]; s.Holds(in.Now) && reaches(&s.Match, in.Finding) && s.To.After(until) {
			why, until = vigil.HeldSilence, s.To
		}
	}
	if why == "" && in.Case.Snoozing(in.Now) {
		return vigil.HeldSnooze, in.Case.Snoozed
	}
	return why, until
}

// reaches reports whether a match that keeps something back is for a finding: a
// critical one only where a bound of the match's severity is "critical" in so many
// words.
func reaches(m *vigil.Match, f *vigil.Finding) bool {
	if f.Severity == vigil.SeverityCritical && m.MinSeverity != vigil.SeverityCritical && m.MaxSeverity != vigil.SeverityCritical {
		return false
	}
	return m.Fits(f)
}

// Silences reports whether a silence is for a finding, whenever it holds.
func Silences(s *vigil.Silence, f *vigil.Finding) bool { return reaches(&s.Match, f) }
