package detector

import (
	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/elementary"
)

// A family is what is one thing to a person, asked in several ways: so many
// accesses, customers and conversations are one oddity, not three.
type family int

const (
	familyCount family = iota
	familySize
	familyRefused
	familyWhole
	familySplit
	familyWhere
	familyWhat
	familyWhen
	familyOrder
	familyReturn
	familyReason
	families int = iota
)

var kindFamily = [features.Kinds]family{
	features.Events: familyCount, features.Subjects: familyCount, features.Conversations: familyCount,
	features.Strangers: familyCount, features.Silent: familyCount, features.Unreasoned: familyReason, features.Neighbours: familyOrder, features.New: familyWhat, features.Denied: familyRefused,
	features.Unbounded: familyWhole, features.Splits: familySplit, features.Rows: familySize, features.Bytes: familySize,
}

var categoryFamily = [features.Categories]family{
	features.Network: familyWhere, features.Agent: familyWhere, features.Resource: familyWhat,
	features.Action: familyWhat, features.Shape: familyWhat, features.Hour: familyWhen,
}

// usualDecades is what a family may say without being odd, mostDecades the most
// that one may bring to the sum: one alone has a term of its own.
const (
	usualDecades = 1.0
	mostDecades  = 6.0
)

// together sums, family by family, how rare the span's observations are (Fisher,
// "Statistical methods for research workers", 1932). The sum's own distribution
// is not Fisher's, since families depend on each other: it is ranked like every
// score, among what peers' spans summed to. What is slight in each of several ways
// is rare in all of them. Only what can merely grow is in it.
func (sh *shard) together(a *actor, which features.Lane, all []judged) judged {
	var top [families]float64
	for i := range all {
		j := &all[i]
		var f family
		switch {
		case isKind(j.Term):
			k, frame := termKind(j.Term)
			if frame == frameEveryone {
				continue
			}
			f = kindFamily[k]
		case j.Term < firstMeasure:
			c, _ := termCategory(j.Term)
			f = categoryFamily[c]
		case j.Term == measureTerm(features.Order):
			f = familyOrder
		case j.Term == measureTerm(features.Page):
			f = familySize
		case j.Term == measureTerm(features.Return):
			f = familyReturn
		default:
			continue
		}
		if j.P < 0.1 {
			top[f] = max(top[f], -elementary.Log10(j.P))
		}
	}
	j := judged{Term: measureTerm(features.Together)}
	for _, v := range top {
		if v > usualDecades {
			j.Raw += min(v, mostDecades) - usualDecades
		}
	}
	j.Seen = j.Raw
	j.Alone = sh.calibrated(a, which, j.Term, j.Raw)
	j.P = min(1, j.Alone*sh.shares(a, which, j.Term))
	j.E = calibrate.E(j.P)
	return j
}
