package detector

import (
	"math"

	"vigil/detector/features"
)

// habit is how often an actor's reads name a reason, as sums over its days with
// forgetting: of reads, and of those with a ticket or purpose.
type habit struct {
	Reads, Reasoned float32
}

// The share of reasoned reads that is believed of who has no past, and how many
// reads stand behind it.
const (
	reasonedPrior  = 0.5
	reasonedWeight = 20
	// reasonWorth is how much of the evidence of mere quantity the reasons take, where
	// all reads name one and usually none does.
	reasonWorth = 0.7
)

// share is the usual share of reads that name a reason.
func (h habit) share() float64 {
	return (float64(h.Reasoned) + reasonedPrior*reasonedWeight) / (float64(h.Reads) + reasonedWeight)
}

// learn counts a closed day.
func (h *habit) learn(s *features.Span, days, w float64) {
	keep := float32(math.Exp2(-days / halfLifeDays))
	reads, reasoned := s.Reasons()
	h.Reads = h.Reads*keep + float32(w*reads)
	h.Reasoned = h.Reasoned*keep + float32(w*reasoned)
}

// excused is the exponent under which the p-values of a span's quantities are
// judged: 1 where its reads name a reason as often as the actor's do, less where
// they do more often. Much work is no oddity where each part of it has its ticket;
// where everything always has one, it says nothing.
func (h habit) excused(s *features.Span) float64 {
	reads, reasoned := s.Reasons()
	if reads == 0 {
		return 1
	}
	usual := h.share()
	more := reasoned/reads - usual
	if more <= 0 || usual >= 0.99 {
		return 1
	}
	return 1 - reasonWorth*more/(1-usual)
}

// quantity says that a term is about how much was done.
func quantity(term int) bool {
	if isKind(term) {
		switch k, _ := termKind(term); k {
		case features.Events, features.Subjects, features.Conversations, features.Rows, features.Bytes:
			return true
		}
		return false
	}
	return term == measureTerm(features.Burst) || term == measureTerm(features.Page)
}
