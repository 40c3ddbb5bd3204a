package affinity

import (
	"fmt"
	"math"
	"slices"
)

// SourcesState is a Sources as it is stored.
type SourcesState struct {
	Known, Denials, Wave State
	// Day is the day up to which the sums have decayed.
	Day int64
	// Events and Denied count events from known networks; Accepted counts accepted
	// events by how well their networks, actors and pairs were known.
	Events, Denied float64
	Accepted       [3][grades]float64
}

// State returns a copy of what s knows.
func (s *Sources) State() SourcesState {
	return SourcesState{
		Known: s.known.State(), Denials: s.denials.State(), Wave: s.wave.State(),
		Day: s.all.day, Events: s.all.events, Denied: s.all.denied, Accepted: s.all.accepted,
	}
}

// RestoreSources makes the Sources that st was taken of, by a model of the same
// configuration. A state that none can have is refused.
func (m *Model) RestoreSources(st SourcesState) (*Sources, error) {
	for _, x := range append(slices.Concat(st.Accepted[0][:], st.Accepted[1][:], st.Accepted[2][:]), st.Events, st.Denied) {
		if !(x >= 0) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%w: a sum of %v", ErrState, x)
		}
	}
	if st.Denied > st.Events {
		return nil, fmt.Errorf("%w: %v denied of %v events", ErrState, st.Denied, st.Events)
	}
	known, err := m.days.Restore(st.Known)
	if err != nil {
		return nil, fmt.Errorf("restore what is known: %w", err)
	}
	denials, err := m.Restore(st.Denials)
	if err != nil {
		return nil, fmt.Errorf("restore denials: %w", err)
	}
	wave, err := m.Restore(st.Wave)
	if err != nil {
		return nil, fmt.Errorf("restore the wave: %w", err)
	}
	return &Sources{
		m: m, known: known, denials: denials, wave: wave,
		all: everyone{st.Day, st.Events, st.Denied, st.Accepted},
	}, nil
}

// Merge adds what o knows. A day on which both met a network counts twice unless
// it is the present one.
func (s *Sources) Merge(o *Sources) error {
	if err := s.known.Merge(o.known); err != nil {
		return err
	}
	if err := s.denials.Merge(o.denials); err != nil {
		return err
	}
	if err := s.wave.Merge(o.wave); err != nil {
		return err
	}
	theirs := o.all
	day := max(s.all.day, theirs.day)
	s.all.decay(s.m.days, day)
	theirs.decay(s.m.days, day)
	s.all.events += theirs.events
	s.all.denied += theirs.denied
	for i := range theirs.accepted {
		for g, n := range theirs.accepted[i] {
			s.all.accepted[i][g] += n
		}
	}
	return nil
}
