package detector

import (
	"math"

	"vigil"
	"vigil/detector/features"
	"vigil/models/sequence"
)

// chainGap is the pause, in nanoseconds, after which what follows no longer
// follows from what came before.
const chainGap = int64(30 * 60 * 1e9)

// maxChains bounds the groups of which one shard learns steps between two merges.
const maxChains = 64

// step judges what an actor does after what it did, as its peers do, and learns
// it; awaited says that a deploy or the like was announced, in which other steps are
// half expected, as other values are. It returns the probability of the step, 1 while
// nothing is known.
func (sh *shard) step(a *actor, e *vigil.Event, t int64, values *[features.Categories]features.Value, awaited bool) (p float64) {
	p = 1
	symbol := (word(&values[features.Action])*31+features.Hash(e.Resource))*31 + word(&values[features.Shape])
	if a.steps.N > 0 && t-a.stepped > chainGap {
		a.steps = sequence.Context{}
	}
	a.stepped = t
	g := a.group
	if g == nil || g.Members < minPeers {
		g = sh.shared.everyone
	}
	if len(g.Chain.Contexts) > 0 {
		p = g.Chain.Predict(a.steps, symbol)
		if p < repeatedP {
			p = a.again(a.steps, symbol, p)
		}
		if awaited {
			p = math.Sqrt(p)
		}
		for _, l := range [...]features.Lane{features.Quarter, features.Day} {
			if a.Lane[l].span.Open {
				a.Lane[l].span.AddStep(p)
			}
		}
	}
	if a.open == nil {
		if d := sh.delta.chain(g); d != nil {
			w := a.Voice.step(t) * a.trust()
			d.Add(a.steps, symbol, w)
			sh.lessons(a).step(g.Key, sequence.NewStep(a.steps, symbol, w))
		}
	}
	a.steps.Push(symbol)
	return p
}

// word is the hash of a value, told or not, as a part of a symbol.
func word(v *features.Value) uint64 {
	if v.Label == "" {
		return features.Hash("")
	}
	return v.Hash
}

// rareSteps is how many of its latest rare steps an actor is remembered by.
const rareSteps = 16

// again lets a rare step that the actor took lately count as no news; others it
// remembers.
func (a *actor) again(ctx sequence.Context, symbol uint64, p float64) float64 {
	step := uint32(stir(uint64(ctx.Last[0]), symbol)>>16) | 1
	for _, s := range a.rare {
		if s == step {
			return repeatedP
		}
	}
	copy(a.rare[1:], a.rare[:])
	a.rare[0] = step
	return p
}
