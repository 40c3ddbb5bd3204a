package vigil

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ControlRules is the type of the control record that brings a RulesChange.
const ControlRules = "rules"

// The bounds of a RulesChange: the rules that it names, and the length of an id.
const (
	MaxRules  = 1_000
	maxRuleID = 64
)

// RuleMark names a rule as its file was. It holds nothing of the file's text.
type RuleMark struct {
	ID string `json:"id"`
	// Digest is SHA-256 of the rule's file, in hexadecimal digits.
	Digest string `json:"sha256"`
	// Off says that the file switches the rule off.
	Off bool `json:"off,omitempty"`
}

// RulesChange says which rules judge the log from an entry on, and how they differ from
// those before. It enters the log as a control record when the service starts with other
// rules than the last. The detector takes its rules from whoever runs it: the record
// tells afterwards which they were.
type RulesChange struct {
	// Time is when the service started with them, From the first entry that they judge.
	Time time.Time `json:"time"`
	From uint64    `json:"from"`
	// Rules are all that are known, those that are switched off too, sorted by id.
	Rules []RuleMark `json:"rules"`
	// Added are the ids that are new. Changed and Removed are rules as they were before.
	Added   []string   `json:"added,omitempty"`
	Changed []RuleMark `json:"changed,omitempty"`
	Removed []RuleMark `json:"removed,omitempty"`
	// ID names the decision of two people by which these rules hold, empty where the
	// configuration or the program changed. Own says that they hold whatever the
	// configuration says, until two people decide otherwise.
	ID  string `json:"id,omitempty"`
	Own bool   `json:"own,omitempty"`
	// By is the pseudonym of who proposed it, Confirmed that of who confirmed it, and Why
	// what they remarked.
	By        string `json:"by,omitempty"`
	Confirmed string `json:"confirmed,omitempty"`
	Why       string `json:"why,omitempty"`
}

// NewRulesChange compares rules with those before. It reports false when they are the
// same.
func NewRulesChange(before, now []RuleMark) (c RulesChange, differ bool) {
	was := map[string]RuleMark{}
	for _, r := range before {
		was[r.ID] = r
	}
	c.Rules = slices.SortedFunc(slices.Values(now), func(a, b RuleMark) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range c.Rules {
		switch old, ok := was[r.ID]; {
		case !ok:
			c.Added = append(c.Added, r.ID)
		case old != r:
			c.Changed = append(c.Changed, old)
		}
		delete(was, r.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		c.Removed = append(c.Removed, was[id])
	}
	return c, len(c.Added)+len(c.Changed)+len(c.Removed) > 0
}

// Check says what is wrong with the record, nil when nothing is.
func (c *RulesChange) Check() error {
	if c.Time.IsZero() {
		return errors.New("the time of the change is missing")
	}
	for _, list := range [...][]RuleMark{c.Rules, c.Changed, c.Removed} {
		if len(list) > MaxRules {
			return fmt.Errorf("%d rules are named, at most %d", len(list), MaxRules)
		}
		for _, r := range list {
			if r.ID == "" || len(r.ID) > maxRuleID {
				return fmt.Errorf("%q is no id of a rule", r.ID)
			}
			if b, err := hex.DecodeString(r.Digest); err != nil || len(b) != 32 {
				return fmt.Errorf("the digest of rule %q is none of SHA-256", r.ID)
			}
		}
	}
	switch {
	case c.Own && (c.ID == "" || c.By == "" || c.Confirmed == ""):
		return errors.New("rules that people set name who proposed and who confirmed them")
	case c.By != "" && c.By == c.Confirmed:
		return errors.New("who proposes rules does not confirm them")
	}
	if len(c.Added) > MaxRules {
		return fmt.Errorf("%d rules are added, at most %d", len(c.Added), MaxRules)
	}
	for _, id := range c.Added {
		if id == "" || len(id) > maxRuleID {
			return fmt.Errorf("%q is no id of a rule", id)
		}
	}
	return nil
}
