package vigil

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Scope is what of somebody's accesses an Exception expects.
type Scope string

// The scopes: reads from networks, reads of resources, and amounts up to a bound.
const (
	ScopeNetwork  Scope = "network"
	ScopeResource Scope = "resource"
	ScopeAmount   Scope = "amount"
)

// Scopes lists the closed set in a fixed order.
func Scopes() []Scope { return []Scope{ScopeNetwork, ScopeResource, ScopeAmount} }

// MaxException is for how long an exception may hold.
const MaxException = 366 * 24 * time.Hour

// exceptionLimit bounds the values and the bounds of one exception.
const exceptionLimit = 50

// Exception says that certain accesses are expected until a time: what fits counts
// as no evidence, and is learnt in full. It is narrow, ends by itself (by event
// time), and is silent about rules. It enters the log as a control record; one of the
// same ID replaces what was before.
type Exception struct {
	ID string `json:"id"`
	// Finding is the finding out of which it was made; By is the pseudonym of who
	// made it, Note their reason, Time when.
	Finding string    `json:"finding"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
	Time    time.Time `json:"time"`
	// Actor is whom the finding is about, whomever else it holds for.
	Actor string `json:"actor"`
	// Who is for whom it holds: one actor, or all of a role.
	Who   Who   `json:"who"`
	Scope Scope `json:"scope"`
	// Values are the networks or resources of those scopes, Bounds the amounts.
	Values []string `json:"values,omitempty"`
	Bounds []Bound  `json:"bounds,omitempty"`
	// Period is the event time in which it holds; it has both ends.
	Period
	// Ended says that it was ended by hand, EndedBy by whom: it holds no more.
	Ended   bool   `json:"ended,omitempty"`
	EndedBy string `json:"ended_by,omitempty"`
}

// Bound is up to how much of a kind is expected in a span.
type Bound struct {
	// Observation and Span are named as in a Contribution.
	Observation string  `json:"observation"`
	Span        string  `json:"span"`
	Most        float64 `json:"most"`
}

// Clean gives the exception the form in which it is kept, or says what is wrong.
func (x *Exception) Clean() error {
	if x.By = plain(x.By, MaxBy); x.By == "" {
		return errors.New("nobody is named who makes the exception")
	}
	x.Note, x.Time, x.From, x.To = plain(x.Note, MaxNote), x.Time.UTC().Round(0), x.From.UTC().Round(0), x.To.UTC().Round(0)
	switch {
	case x.ID == "" || x.Finding == "":
		return errors.New("the exception names no finding")
	case x.Who.Nobody():
		return errors.New("the exception holds for nobody: the finding names neither an actor nor a role")
	case x.From.IsZero() || !x.To.After(x.From):
		return errors.New("the exception has no time in which it holds")
	case x.To.Sub(x.From) > MaxException:
		return fmt.Errorf("the exception holds for %d days, at most %d", x.To.Sub(x.From)/(24*time.Hour), MaxException/(24*time.Hour))
	}
	values, bounds := len(x.Values) > 0, len(x.Bounds) > 0
	switch x.Scope {
	case ScopeNetwork, ScopeResource:
		if !values || bounds {
			return fmt.Errorf("the finding names no %s, so there is none to expect; choose another scope", x.Scope)
		}
	case ScopeAmount:
		if values || !bounds {
			return errors.New("the finding rests on no amount, so there is none to expect; choose another scope")
		}
	default:
		return fmt.Errorf("%q is no scope; say network, resource or amount", x.Scope)
	}
	if len(x.Values) > exceptionLimit || len(x.Bounds) > exceptionLimit {
		return fmt.Errorf("the exception names more than %d things", exceptionLimit)
	}
	return nil
}

// Holds reports whether it holds at event time t.
func (x *Exception) Holds(t time.Time) bool { return !x.Ended && x.Period.Holds(t) }

// Over reports whether at event time t it holds no more: it was ended, or its time is past.
// One that was made just now is not over, though t, up to which the log is judged, is
// still before it.
func (x *Exception) Over(t time.Time) bool { return x.Ended || !x.To.IsZero() && !t.Before(x.To) }

// Covers reports whether the exception, where it holds, expects what a contribution
// to a finding tells.
func (x *Exception) Covers(c *Contribution) bool {
	switch x.Scope {
	case ScopeNetwork, ScopeResource:
		return c.Model == "novelty" && c.Observation == string(x.Scope) && slices.Contains(x.Values, c.SeenLabel)
	case ScopeAmount:
		return slices.ContainsFunc(x.Bounds, func(b Bound) bool {
			return c.Form() == FormAmount && b.Observation == c.Observation && b.Span == c.Span && c.Seen <= b.Most
		})
	}
	return false
}

// more is by how much an amount may outgrow the one of the finding and still be
// expected.
const more = 1.25

// NewException makes an exception out of a finding about an actor: everything in
// it that the scope can mean is expected. An empty scope takes the one that covers
// most of the finding's evidence. forRole lets it hold for the actor's role.
func NewException(f *Finding, scope Scope, forRole bool) (Exception, error) {
	if f.About != AboutActor || f.Actor == "" {
		return Exception{}, fmt.Errorf("finding %q is about no actor: exceptions are made for what somebody does", f.ID)
	}
	if f.Rule != "" {
		return Exception{}, fmt.Errorf("finding %q comes from the rule %s: no exception silences a rule", f.ID, f.Rule)
	}
	x := Exception{Finding: f.ID, Actor: f.Actor, Who: Who{Actor: f.Actor, Tenant: f.Tenant}, Scope: scope}
	if forRole {
		if f.Role == "" {
			return x, fmt.Errorf("finding %q names no role", f.ID)
		}
		x.Who = Who{Kind: f.ActorKind, Role: f.Role, Tenant: f.Tenant}
	}
	switch scope {
	case "":
		best := -1.0
		for _, s := range Scopes() {
			if y, err := NewException(f, s, forRole); err == nil && y.share(f) > best {
				best, x = y.share(f), y
			}
		}
		if best <= 0 {
			return x, fmt.Errorf("finding %q rests on nothing that an exception could expect", f.ID)
		}
		return x, nil
	case ScopeNetwork:
		x.Values = first(f.Networks)
	case ScopeResource:
		x.Values = first(resources(f))
	case ScopeAmount:
		for i := range f.Contributions {
			if c := &f.Contributions[i]; c.Form() == FormAmount && c.Model == "volume" {
				x.bound(Bound{c.Observation, c.Span, more * c.Seen})
			}
		}
	}
	if len(x.Values)+len(x.Bounds) == 0 {
		return x, fmt.Errorf("finding %q tells of no %s", f.ID, scope)
	}
	return x, nil
}

// resources lists what the finding tells of, by the names by which resources are
// learnt: with their store.
func resources(f *Finding) []string {
	var names []string
	for i := range f.Contributions {
		if c := &f.Contributions[i]; c.Model == "novelty" && c.Observation == string(ScopeResource) {
			names = append(names, c.SeenLabel)
		}
	}
	for _, r := range f.Resources {
		for _, store := range f.Stores {
			names = append(names, store+"/"+r)
		}
		if len(f.Stores) == 0 {
			names = append(names, r)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func first(all []string) []string { return slices.Clone(all[:min(len(all), exceptionLimit)]) }

// bound adds a bound, or widens the one of the same observation and span.
func (x *Exception) bound(b Bound) {
	for i := range x.Bounds {
		if have := &x.Bounds[i]; have.Observation == b.Observation && have.Span == b.Span {
			have.Most = max(have.Most, b.Most)
			return
		}
	}
	if len(x.Bounds) < exceptionLimit {
		x.Bounds = append(x.Bounds, b)
	}
}

// share is the part of a finding's evidence that the exception covers, 0 to 1.
func (x *Exception) share(f *Finding) (sum float64) {
	for i := range f.Contributions {
		if x.Covers(&f.Contributions[i]) {
			sum += f.Contributions[i].Share
		}
	}
	return sum
}

// Silences reports whether a finding would have had no evidence left, or in part
// less.
func (x *Exception) Silences(f *Finding) (wholly, partly bool) {
	if f.Rule != "" || !x.Who.Fits(&Actor{ID: f.Actor, Kind: f.ActorKind, Role: f.Role, Team: f.Team, Tenant: f.Tenant}) {
		return false, false
	}
	share := x.share(f)
	return share > 0.99, share > 0
}
