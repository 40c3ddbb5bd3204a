package alerts

import (
	"time"

	"vigil"
)

// mute says whether somebody asked to be left alone with this, and until when: a silence
// that fits the finding, or the case's snooze. Who asks for it means what they know: a
// case that got graver since it was last told, or held, is told all the same. before is
// nil for a case that is new.
func mute(f *vigil.Finding, c *vigil.Case, before *Told, silences []vigil.Silence, now time.Time) (why vigil.MuteReason, until time.Time) {
	if before != nil && c.Severity.Rank() > before.Severity.Rank() {
		return "", time.Time{}
	}
	for i := range silences {
		if s := &silences[i]; s.Holds(now) && reaches(&s.Match, f) && s.To.After(until) {
			why, until = vigil.HeldSilence, s.To
		}
	}
	if why == "" && c.Snoozing(now) {
		return vigil.HeldSnooze, c.Snoozed
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
