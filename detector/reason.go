package detector

import (
	"math"

	"vigil/detector/features"
)

// habit is how often an actor's reads name a reason, as sums over its days with
// forgetting: of reads, and of those with a ticket or purpose.
type habit struct {
	Reads, Reasoned float32
	// Days counts the closed days, by which the sums have been forgotten.
	Days int32
}

// The share of reasoned reads that is believed of who has no past, and how many
// reads stand behind it.
const (
	reasonedPrior  = 0.5
	reasonedWeight = 20
	// reasonWorth is how much of the evidence of mere quantity the reasons take, where
	// all reads name one and usually none does.
	reasonWorth = 0.7
	// verifiedWorth is how much they take where all reads have a reason that somebody
	// else has put down. It grows with the square of their share: who answers for half
	// of what he reads is not half explained by it, the other half being what a thief
	// would add. It does not hang on what is usual, for whoever is given more work than
	// usual reads more; and it is less than all, for work can be given to oneself.
	verifiedWorth = 0.9
	// awaitedWorth is how much a deploy or a campaign takes.
	awaitedWorth = 0.3
)

// share is the usual share of reads that name a reason.
func (h habit) share() float64 {
	return (float64(h.Reasoned) + reasonedPrior*reasonedWeight) / (float64(h.Reads) + reasonedWeight)
}

// learn counts a closed day and returns what it taught.
func (h *habit) learn(s *features.Span, w float64) (taught habit) {
	reads, reasoned := s.Reasons()
	h.forget(h.Days + 1)
	taught = habit{float32(w * reads), float32(w * reasoned), h.Days}
	h.Reads, h.Reasoned = h.Reads+taught.Reads, h.Reasoned+taught.Reasoned
	return taught
}

// forget ages the sums to so many closed days.
func (h *habit) forget(days int32) {
	if days > h.Days {
		keep := float32(math.Exp2(-float64(days-h.Days) / halfLifeDays))
		h.Reads, h.Reasoned, h.Days = h.Reads*keep, h.Reasoned*keep, days
	}
}

// excused is the exponent under which the p-values of a span's quantities are
// judged: 1 where its reads name a reason as often as the actor's do, less where
// they do more often, or where it is known that what they read is their work. Much
// work is no oddity where each part of it has its ticket; where everything always has
// one, it says nothing.
func (h habit) excused(s *features.Span) float64 {
	reads, reasoned := s.Reasons()
	if reads == 0 {
		return 1
	}
	verified, awaited := s.Verified()
	return math.Min(h.named(reasoned/reads), 1-verifiedWorth*square(verified/reads)) * (1 - awaitedWorth*awaited/reads)
}

// named is the part of the evidence of quantity that is left where this share of
// reads names a reason.
func (h habit) named(share float64) float64 {
	usual := h.share()
	more := share - usual
	if more <= 0 || usual >= 0.99 {
		return 1
	}
	return 1 - reasonWorth*more/(1-usual)
}

func square(x float64) float64 { return x * x }

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
