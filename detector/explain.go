package detector

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/detector/features"
	"vigil/models/novelty"
)

func utc(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }

// findingID names a finding by what it is about and when it began.
func findingID(key, what string, start int64) string {
	h := features.Hash(key + "\x00" + what + "\x00" + strconv.FormatInt(start, 10))
	return fmt.Sprintf("f-%016x", h)
}

// contribution explains one judged term.
func contribution(a *actor, l features.Lane, epoch int64, j *judged) vigil.Contribution {
	c := vigil.Contribution{
		Span: l.String(), SpanStart: utc(l.Start(epoch)), P: j.P, E: j.E,
	}
	if cat, ok := termCategory(j.Term); ok {
		c.Model, c.Observation = "novelty", cat.String()
		c.Seen, c.SeenLabel, c.Expected = 1, j.Rare.Label, j.Rare.P
		c.Frame = [...]string{"self", "self", "peers", "everyone"}[j.Rare.Frame]
		labels := usual(a, cat, j.Rare.Label)
		c.ExpectedLabel = strings.Join(labels, ", ")
		c.Text = noveltyText(cat, j.Rare, labels, features.Quarter.Index(l.Start(epoch)))
		return c
	}
	if m, ok := termMeasure(j.Term); ok {
		c.Model, c.Observation, c.Frame = m.Model(), m.String(), "self"
		c.Seen, c.Expected, c.Low, c.High = j.Raw, j.Usual, 0, j.Usual
		c.Text = measureText(m, l, j)
		switch m {
		case features.Drift:
			c.Seen = j.Seen
			c.Expected, c.Low, c.High = j.Counts.Mean, j.Counts.Quantile(0.01), j.Counts.Quantile(0.99)
		case features.Page:
			c.Seen, c.Expected, c.High = j.Page.Records, j.Page.Usual, j.Page.Usual
		}
		return c
	}
	k, f := termKind(j.Term)
	c.Model, c.Observation, c.Frame, c.Seen = "volume", k.String(), f.String(), j.Seen
	c.Expected, c.Low, c.High = j.interval()
	c.Text = volumeText(k, f, l, &c)
	return c
}

// usual lists an actor's usual values of a category other than the one seen.
func usual(a *actor, c features.Category, seen string) (labels []string) {
	all, _ := a.Values[c].Usual(4)
	for _, s := range all {
		if s != seen && len(labels) < 3 {
			labels = append(labels, s)
		}
	}
	return labels
}

// recent says that the actor first used the value within a week of the quarter-hour
// epoch.
func recent(r features.Rare, epoch int64) bool {
	const week = 7 * 96
	return r.First > 0 && epoch-r.First < week
}

func noveltyText(c features.Category, r features.Rare, labels []string, epoch int64) string {
	what := c.Words() + " " + strconv.Quote(r.Label)
	if c == features.Hour {
		what = "accesses at " + r.Label
	}
	how := "rare for this actor"
	switch r.Frame {
	case novelty.NewToEveryone:
		how = "never seen before from anyone"
	case novelty.NewToPeers:
		how = "never seen before from this actor or its peers"
	case novelty.NewToSelf:
		how = "new for this actor, though its peers know it"
	case novelty.Known:
		if recent(r, epoch) {
			how = "not used by this actor before " + utc(features.Quarter.Start(r.First)).Format("2 January")
		}
	}
	if len(labels) == 0 {
		return what + ": " + how
	}
	return what + ": " + how + " (usually " + strings.Join(labels, ", ") + ")"
}

func volumeText(k features.Kind, f frame, l features.Lane, c *vigil.Contribution) string {
	whose := [frames]string{"its own usual", "its peers' usual", "everyone's usual"}[f]
	return fmt.Sprintf("%s %s within %s; %s is %s", number(c.Seen), k.Words(c.Seen == 1), l.Words(), whose, usualRange(c))
}

// usualRange says what a count is expected to be, and at most.
func usualRange(c *vigil.Contribution) string {
	if number(c.Expected) == "0" && number(c.High) == "0" {
		return "none"
	}
	return fmt.Sprintf("about %s, at most %s in 99 of 100", number(c.Expected), number(c.High))
}

// contributions are the finding's terms, largest first, their shares summing to
// one.
func (in *incident) contributions(a *actor) []vigil.Contribution {
	var total float64
	keys := make([]int, 0, len(in.Terms))
	for key := range in.Terms {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		total += in.Terms[key].Log
	}
	var out []vigil.Contribution
	for _, key := range keys {
		tr := in.Terms[key]
		c := contribution(a, tr.Lane, tr.Epoch, &tr.Best)
		c.Share = tr.Log / total
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b vigil.Contribution) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0
	})
	return out[:min(len(out), 12)]
}

// largest keeps the n contributions with the smallest p.
func largest(all []vigil.Contribution, n int) []vigil.Contribution {
	slices.SortStableFunc(all, func(a, b vigil.Contribution) int {
		switch {
		case a.P < b.P:
			return -1
		case a.P > b.P:
			return 1
		}
		return 0
	})
	return all[:min(len(all), n)]
}

// counterfactual finds the smallest change of one observation that would have
// kept the evidence below the line.
func (sh *shard) counterfactual(a *actor, l features.Lane, all []judged) string {
	la := &a.Lane[l]
	decay := la.decay(l, la.span.Index)
	line := sh.shared.budget.Line[l]
	below := func(k features.Kind, n float64) bool {
		return log10(la.Detector.Peek(decay, sh.eWith(a, l, all, k, n))) < line
	}
	best, bestN, bestShare := features.Kind(-1), 0.0, math.Inf(1)
	for k := range features.Kind(features.Kinds) {
		seen := la.span.Value(k)
		if seen < 1 || !la.span.Told(k) || k == features.New || !below(k, 0) {
			continue
		}
		lo, hi := 0.0, seen // below at lo, not at hi
		for hi-lo > 1 {
			mid := math.Floor((lo + hi) / 2)
			if below(k, mid) {
				lo = mid
			} else {
				hi = mid
			}
		}
		if cut := 1 - hi/seen; cut < bestShare {
			best, bestN, bestShare = k, hi, cut
		}
	}
	if best >= 0 && bestN <= 1 {
		return fmt.Sprintf("No finding if there had been no %s within %s.", best.Words(false), l.Words())
	}
	if best >= 0 {
		return fmt.Sprintf("No finding below %s %s within %s.", number(bestN), best.Words(bestN == 1), l.Words())
	}
	for i := range all {
		c, ok := termCategory(all[i].Term)
		if !ok || all[i].Rare.Frame == novelty.Known {
			continue
		}
		var sum, weight float64
		for _, j := range all {
			e := j.E
			if j.Term == all[i].Term {
				e = 0.5
			}
			sum += termWeight(j.Term) * e
			weight += termWeight(j.Term)
		}
		if log10(la.Detector.Peek(decay, sum/weight)) < line {
			return fmt.Sprintf("No finding if the %s had been a usual one.", c.Words())
		}
	}
	signs := 0
	for i := range all {
		if all[i].E > 10 {
			signs++
		}
	}
	if la.Since != 0 && la.Since < la.span.First {
		return fmt.Sprintf("No single observation decides it: evidence has grown since %s.", utc(la.Since).Format("2 Jan 15:04 UTC"))
	}
	return fmt.Sprintf("No single observation decides it: %s agree.", plural(int64(signs), "sign", "signs"))
}

// notJudged names what the actor's source does not tell.
func (sh *shard) notJudged(a *actor, l features.Lane) []string {
	var out []string
	for _, k := range [...]features.Kind{features.Subjects, features.Conversations, features.Rows, features.Bytes} {
		if !a.Lane[l].span.Told(k) && !sh.shared.tells(a, k) {
			out = append(out, k.String())
		}
	}
	return out
}

// who names the actor as a person would.
func who(f *vigil.Finding) string {
	kind := map[vigil.ActorKind]string{
		vigil.KindHuman: "Person", vigil.KindService: "Service", vigil.KindBot: "Bot", vigil.KindVendor: "Vendor",
		vigil.KindAdmin: "Administrator", vigil.KindAnonymous: "Anonymous caller",
	}[f.ActorKind]
	if kind == "" {
		kind = "Actor"
	}
	name := kind + " " + f.Actor
	var of []string
	for _, s := range []string{f.Role, f.Team} {
		if s != "" && s != string(f.ActorKind) {
			of = append(of, s)
		}
	}
	if len(of) > 0 {
		name += " (" + strings.Join(of, ", ") + ")"
	}
	return name
}

// telling is the new thing that a person would name first: the network, else the
// client program, else what was read. Empty when there is none.
func (in *incident) telling(a *actor) string {
	for _, c := range [...]features.Category{features.Network, features.Agent, features.Resource, features.Shape} {
		for l := range features.Lanes {
			tr, ok := in.Terms[categoryTerm(c)+terms*l]
			if !ok || tr.Best.P > 0.02 {
				continue
			}
			epoch := features.Quarter.Index(tr.Lane.Start(tr.Epoch))
			if tr.Best.Rare.Frame != novelty.Known || recent(tr.Best.Rare, epoch) {
				return contribution(a, tr.Lane, tr.Epoch, &tr.Best).Text
			}
		}
	}
	return ""
}

// sentence says who did what, how much, and what is most unusual about it: the
// largest contribution, and the new thing if there is one. Of who read nothing it
// says how many other things (others) it did: a program that only writes is found
// by what it writes, or from where.
func sentence(f *vigil.Finding, others int64, telling string) string {
	var what []string
	if f.Subjects > 0 {
		what = append(what, "data of "+plural(f.Subjects, "customer", "customers"))
	}
	if f.Conversations > 0 {
		what = append(what, plural(f.Conversations, "conversation", "conversations"))
	}
	if f.Rows > 0 {
		what = append(what, plural(f.Rows, "row", "rows"))
	}
	if len(what) == 0 {
		what = append(what, "the store")
	}
	did := "read " + strings.Join(what, ", ") + " in " + plural(f.Events, "access", "accesses")
	switch {
	case f.Events == 0 && others > 0:
		did = "read nothing, but did " + plural(others, "other thing", "other things")
	case f.Events == 0:
		did = "read nothing, but did other things"
	}
	s := fmt.Sprintf("%s %s between %s and %s", who(f), did, f.Start.Format("2 Jan 15:04"), f.End.Format("2 Jan 15:04 UTC"))
	var why []string
	seen := map[string]bool{}
	for i := range f.Contributions {
		c := &f.Contributions[i]
		if !seen[c.Observation] && len(why) < 2 && c.Text != telling && !sums(c) {
			seen[c.Observation] = true
			why = append(why, c.Text)
		}
	}
	if telling != "" {
		why = append(why[:min(1, len(why))], telling)
	}
	// That there are several oddities is told after them: alone it says nothing.
	if len(f.Contributions) > 0 && sums(&f.Contributions[0]) {
		why = append(why, f.Contributions[0].Text)
	}
	if len(why) > 0 {
		s += ". Unusual: " + strings.Join(why, "; ")
	}
	if text := unreasoned(f); text != "" {
		s += ". " + text
	}
	return s + "."
}

// sums says that a contribution is about the others together.
func sums(c *vigil.Contribution) bool {
	return c.Observation == features.Together.String() || c.Observation == features.Combination.String()
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(float64(n)) + " " + many
}

// number writes a count with thin separators: 2,140; small ones with a digit.
func number(x float64) string {
	switch {
	case x < 0.05:
		return "0"
	case x < 10 && x != math.Floor(x):
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x > 1e15:
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	digits := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// teamName names a group for a person, the narrowest word first: "emea (agent,
// human)". What is unknown is left out.
func teamName(key string) string {
	if id := learnedID(key); id != 0 {
		name := "learned group " + strconv.Itoa(id)
		if kind, _, _ := strings.Cut(key, "|"); kind != "" {
			name += " (" + kind + ")"
		}
		return name
	}
	var parts []string
	for _, s := range strings.SplitN(key, "|", 3) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	slices.Reverse(parts)
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return parts[0] + " (" + strings.Join(parts[1:], ", ") + ")"
}

// measureText says in words what a measure saw.
func measureText(m features.Measure, l features.Lane, j *judged) string {
	switch m {
	case features.Order:
		return fmt.Sprintf("ids read one after the other, up or down, within %s: one chance in %s if they had come in any order",
			l.Words(), oneIn(j.Raw))
	case features.Burst:
		return "accesses within minutes to one place or customer, or from one network, far more than before"
	case features.Page:
		return fmt.Sprintf("%s records shown by a single access to %q, where such accesses usually show about %s",
			number(j.Page.Records), j.Page.Where, number(j.Page.Usual))
	case features.Return:
		return fmt.Sprintf("back after %s days without an access", number(math.Exp2(j.Raw)*features.AwayFrom))
	case features.Rhythm:
		return "steady gaps between accesses, as a script has them"
	case features.Sequence:
		return "one thing done after another in an order that its peers do not have"
	case features.Drift:
		return fmt.Sprintf("%s %s within %s; at its pace of months ago it would be about %s",
			number(j.Seen), j.Kind.Words(j.Seen == 1), l.Words(), number(j.Counts.Mean))
	case features.Together:
		return fmt.Sprintf("several oddities at once, together as rare as one in %s", oneIn(-math.Log10(j.P)))
	default:
		return "several slight oddities at once that usually do not come together"
	}
}

// oneIn writes the inverse of a probability given in decades.
func oneIn(decades float64) string {
	if decades > 8.99 {
		return "a billion or more"
	}
	// Two digits: more would claim a precision that no model has.
	unit := math.Pow(10, math.Max(0, math.Floor(decades)-1))
	n := math.Round(math.Pow(10, decades)/unit) * unit
	if n >= 1e6 {
		return number(n/1e6) + " million"
	}
	return number(n)
}
