package drill

import (
	"fmt"
	"slices"
	"strings"
)

// Scenario is one row of the threat catalogue.
type Scenario struct {
	// ID is the row's, with a letter where a row has a second variant.
	ID   string
	Name string
	Kind Kind
	// Parts are the scarce parts that it casts.
	Parts []Part
	// About says what happens, Quiet what the trap is.
	About, Quiet string
	// Breach and Innocent stage the breach and its trap.
	Breach, Innocent func(*stage) error
}

// Part is a part of which a company has few who could play it. Two scenarios that
// want the same one are not staged in one world.
type Part uint8

// The scarce parts.
const (
	Bot Part = iota + 1
	Vendor
	Technical // engineers and administrators
	Service
)

// Row is the id without a variant's letter.
func (s *Scenario) Row() string { return strings.TrimRight(s.ID, "abcdefghijklmnopqrstuvwxyz") }

// Scenarios lists all that can be staged, by id.
func Scenarios() []Scenario {
	return []Scenario{
		t01(), t02(), t03(), t04(), t05(), t06(), t07(), t08(), t09(), t09b(), t10(), t11(), t12(), t13(), t14(), t15(),
		t16(), t17(), t18(), t19(), t20(), t21(), t22(), t23(), t24(), t25(), t26(), t27(), t28(), t29(), t30(),
	}
}

// Named returns the scenarios of some ids, all for none. A row's id means all of
// its variants.
func Named(ids []string) ([]Scenario, error) {
	all := Scenarios()
	if len(ids) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		id = strings.ToLower(strings.TrimSpace(id))
		if !slices.ContainsFunc(all, func(s Scenario) bool { return strings.ToLower(s.ID) == id || strings.ToLower(s.Row()) == id }) {
			var known []string
			for _, s := range all {
				known = append(known, s.ID)
			}
			return nil, fmt.Errorf("no drill is called %q; there are %s", id, strings.Join(known, ", "))
		}
		wanted[id] = true
	}
	return slices.DeleteFunc(all, func(s Scenario) bool { return !wanted[strings.ToLower(s.ID)] && !wanted[strings.ToLower(s.Row())] }), nil
}
