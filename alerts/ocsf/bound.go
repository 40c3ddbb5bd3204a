package ocsf

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"vigil"
	"vigil/alerts"
)

const (
	// maxText and maxName bound texts and names where nothing has to be cut, in runes.
	maxText = 2000
	maxName = 128
	// maxList bounds lists where nothing has to be cut.
	maxList = 100
	// maxIdent bounds what others look things up by, in bytes.
	maxIdent = 128
	// leastHidden is the shortest customer's id that is looked for in texts: shorter ones
	// would strike words. Pseudonyms are longer. What is longer than mostHidden is no id.
	leastHidden = 6
	mostHidden  = 1000
)

const withheld = "[withheld]"

// pseudonym is a customer's, of whom a text may name more than the finding lists.
var pseudonym = regexp.MustCompile(`subject-[0-9a-z]{13}`)

// bound is how much of a message an event holds, and counts what was left out.
type bound struct {
	list, text, name int
	// last says that there is nothing left to cut.
	last bool
	// hide takes customers out of texts.
	hide *strings.Replacer
	cut  []string
}

// bounds are the i-th try: each one halves.
func bounds(i int) bound {
	b := bound{list: maxList >> i, text: max(maxText>>i, 32), name: max(maxName>>i, 32)}
	b.last = b.list == 0
	return b
}

// words makes foreign text fit for an event.
func (b *bound) words(s string) string { return b.short(s, b.text) }

// label does so for a name.
func (b *bound) label(s string) string { return b.short(s, b.name) }

func (b *bound) short(s string, max int) string {
	// What is far too long is not worth looking through. It ends between words, so that no
	// part of an id stays.
	if most := 2*max + 64; len(s) > most {
		s = s[:most]
		if i := strings.LastIndexAny(s, " \t\n"); i > 0 {
			s = s[:i]
		}
	}
	if b.hide != nil {
		s = b.hide.Replace(s)
	}
	s = pseudonym.ReplaceAllString(s, withheld)
	return alerts.Cut(alerts.Clean(s), max)
}

// some is how many of n there is room for; what is left out is said.
func (b *bound) some(what string, n int) int {
	if n <= b.list {
		return n
	}
	if said := fmt.Sprintf("%s: %d of %d", what, b.list, n); !slices.Contains(b.cut, said) {
		b.cut = append(b.cut, said)
	}
	return b.list
}

// labels are the names of a list for which there is room.
func (b *bound) labels(what string, list []string) []string {
	var out []string
	for _, s := range list[:b.some(what, len(list))] {
		if s = b.label(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// customers makes the replacer that takes out whom the data is about.
func customers(f *vigil.Finding, c *vigil.Case) *strings.Replacer {
	var ids []string
	if f != nil {
		ids = append(slices.Clone(f.SubjectIDs), f.Subject)
	}
	if c != nil {
		ids = append(ids, c.Subject)
	}
	// The longest first: one may begin another.
	slices.SortFunc(ids, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, id := range ids {
		if len(id) >= leastHidden && len(id) <= mostHidden {
			pairs = append(pairs, id, withheld)
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	return strings.NewReplacer(pairs...)
}

// ident is an id fit for an event: as it is, or when it is too long or odd, its hash, so
// that two stay two.
func ident(s string) string {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	if len(s) <= maxIdent && !strings.ContainsFunc(s, odd) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + hex.EncodeToString(sum[:])
}
