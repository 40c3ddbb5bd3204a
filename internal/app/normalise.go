package app

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/config"
	"vigil/internal/privacy"
)

// maxAhead is how far an event's clock may be ahead of this machine's. A clock
// that is further ahead would make everybody else's events late.
const maxAhead = 15 * time.Minute

// clockCode is the code of what is set aside for that.
const clockCode = "clock"

// memoSize bounds the identities whose rule is remembered, in each of two
// generations.
const memoSize = 32_768

// actorRules says more about identities than the logs do. It is safe for
// concurrent use.
type actorRules struct {
	rules    []actorRule
	networks bool // some rule looks at the address

	mu         sync.Mutex
	young, old map[appearance]int
}

type actorRule struct {
	match, app, source *regexp.Regexp
	network            netip.Prefix
	set                config.ActorRule
}

type appearance struct{ source, id, app, ip string }

// noRule is what the memo holds for one that none is about.
const noRule = -1

// newActorRules compiles rules. The error names the rule that can't be used.
func newActorRules(rules []config.ActorRule) (*actorRules, error) {
	out := &actorRules{young: map[appearance]int{}}
	for i, r := range rules {
		rule := actorRule{set: r}
		for _, g := range []struct {
			to   **regexp.Regexp
			glob string
		}{{&rule.match, r.Match}, {&rule.app, r.App}, {&rule.source, r.Source}} {
			if g.glob == "" {
				continue
			}
			re, err := globPattern(g.glob)
			if err != nil {
				return nil, fmt.Errorf("read actors[%d]: %w", i, err)
			}
			*g.to = re
		}
		if r.Network != "" {
			prefix, err := netip.ParsePrefix(r.Network)
			if err != nil {
				return nil, fmt.Errorf("read actors[%d]: %w", i, err)
			}
			rule.network = prefix.Masked()
			out.networks = true
		}
		out.rules = append(out.rules, rule)
	}
	return out, nil
}

// globPattern compiles a glob in which "*" is anything, slashes too: a login may
// be a path.
func globPattern(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			end := strings.IndexByte(glob[i+1:], ']')
			if end <= 0 {
				return nil, fmt.Errorf("pattern %q has a [ without its ]", glob)
			}
			class := glob[i+1 : i+1+end]
			b.WriteByte('[')
			if strings.HasPrefix(class, "^") || strings.HasPrefix(class, "!") {
				b.WriteByte('^')
				class = class[1:]
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, `[`, `\[`, `^`, `\^`, `&`, `\&`).Replace(class))
			b.WriteByte(']')
			i += end + 1
		case '\\':
			if i+1 < len(glob) {
				i++
			}
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("pattern %q is no pattern", glob)
	}
	return re, nil
}

// apply lets the first rule that is about e's actor fill in what it says.
func (a *actorRules) apply(e *vigil.Event) {
	if len(a.rules) == 0 {
		return
	}
	key := appearance{source: e.Source, id: e.Actor.ID, app: e.Actor.App}
	if a.networks {
		key.ip = e.IP
	}
	index, known := a.remembered(key)
	if !known {
		index = a.find(e)
		a.remember(key, index)
	}
	if index == noRule {
		return
	}
	set := &a.rules[index].set
	if set.Kind != "" {
		e.Actor.Kind = set.Kind
	}
	if set.Role != "" {
		e.Actor.Role = set.Role
	}
	if set.Team != "" {
		e.Actor.Team = set.Team
	}
	if set.Tenant != "" {
		e.Actor.Tenant = set.Tenant
	}
}

func (a *actorRules) find(e *vigil.Event) int {
	for i := range a.rules {
		if a.rules[i].about(e) {
			return i
		}
	}
	return noRule
}

func (r *actorRule) about(e *vigil.Event) bool {
	if r.match != nil && !r.match.MatchString(e.Actor.ID) {
		return false
	}
	if r.app != nil && !r.app.MatchString(e.Actor.App) {
		return false
	}
	if r.source != nil && !r.source.MatchString(e.Source) {
		return false
	}
	if r.network.IsValid() {
		ip, err := netip.ParseAddr(e.IP)
		return err == nil && r.network.Contains(ip.Unmap().WithZone(""))
	}
	return true
}

func (a *actorRules) remembered(key appearance) (int, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if index, ok := a.young[key]; ok {
		return index, true
	}
	index, ok := a.old[key]
	if ok {
		a.keep(key, index)
	}
	return index, ok
}

func (a *actorRules) remember(key appearance, index int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(key, index)
}

// keep needs mu.
func (a *actorRules) keep(key appearance, index int) {
	if len(a.young) >= memoSize {
		a.old, a.young = a.young, map[appearance]int{}
	}
	a.young[key] = index
}

// normaliser is what each event of one source passes before it is handed on.
type normaliser struct {
	source, store, tenant string
	rules                 *actorRules
	// print is of what it was made.
	print config.Print
	// steps tells ids that are walked in order, while they are still ids.
	steps privacy.Steps
	// quota is what it may bring; nil bounds nothing.
	quota *quota
	// now is the clock against which events may be too far ahead; nil lets every
	// time pass, as for files read after the fact.
	now func() time.Time
}

// event fills in what the source's configuration says. It returns false, and why,
// for an event that can't be accepted.
func (n *normaliser) event(e *vigil.Event) (vigil.Quarantined, bool) {
	// The receiver says which source it is, never the payload. A file that is read
	// after the fact has no receiver, and keeps what it says.
	if n.source != "" {
		e.Source = n.source
	}
	if e.Store == "" {
		e.Store = n.store
	}
	if n.rules != nil {
		n.rules.apply(e)
	}
	if e.Network == "" {
		e.Network = vigil.NetworkOf(e.IP)
	}
	if c := int64(len(e.Subjects)); e.SubjectCount != vigil.Unknown && e.SubjectCount < c {
		e.SubjectCount = c
	}
	n.steps.Event(e)
	err := e.Validate()
	code := "event"
	if err == nil && n.now != nil {
		if ahead := e.Time.Sub(n.now()); ahead > maxAhead {
			code = clockCode
			err = fmt.Errorf("time is %s ahead of this machine's clock; set the source's clock or its time zone right", ahead.Round(time.Minute))
		}
	}
	if err == nil {
		return vigil.Quarantined{}, true
	}
	return vigil.Quarantined{
		Source: e.Source, File: e.Origin.File, Line: e.Origin.Line, Offset: e.Origin.Offset,
		Time: e.Time, Reason: err.Error(), Code: code, Hash: e.Origin.Hash,
	}, false
}
