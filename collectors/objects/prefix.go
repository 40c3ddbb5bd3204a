package objects

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// maxExpanded bounds the prefixes that one configured prefix stands for.
const maxExpanded = 20_000

// prefix is the beginning of keys; of the days or hours that it names one after the other
// is listed, so that a look at a bucket of years costs no more than one of days.
type prefix struct {
	text string
	// step is the shortest time that it names, zero for one without a date.
	step time.Duration
	// keys fits the keys that begin so on any date.
	keys *regexp.Regexp
}

// dateParts are what stands for parts of a date, how they are written, and the time after
// which the next one is looked at.
var dateParts = []struct {
	name, layout, digits string
	step                 time.Duration
}{
	{"{yyyy}", "2006", `\d{4}`, 24 * time.Hour},
	{"{mm}", "01", `\d{2}`, 24 * time.Hour},
	{"{dd}", "02", `\d{2}`, 24 * time.Hour},
	{"{hh}", "15", `\d{2}`, time.Hour},
}

func parsePrefix(text string) (prefix, error) {
	p := prefix{text: text}
	rest, pattern := text, regexp.QuoteMeta(text)
	for _, part := range dateParts {
		if strings.Contains(text, part.name) {
			p.step = part.step
			rest = strings.ReplaceAll(rest, part.name, "")
			pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta(part.name), part.digits)
		}
	}
	if strings.ContainsAny(rest, "{}*") {
		return prefix{}, fmt.Errorf(`prefix %q: of what may vary there are {yyyy}, {mm}, {dd} and {hh}; write several prefixes, or a match`, text)
	}
	if p.step > 0 && !strings.Contains(text, "{yyyy}") {
		return prefix{}, fmt.Errorf("prefix %q names parts of a date without its {yyyy}", text)
	}
	if strings.HasPrefix(text, "/") {
		return prefix{}, fmt.Errorf("prefix %q begins with a slash, which keys do not: leave it out", text)
	}
	var err error
	if p.keys, err = regexp.Compile("^" + pattern); err != nil {
		return prefix{}, fmt.Errorf("prefix %q: %w", text, err)
	}
	return p, nil
}

// between lists the beginnings of keys from one time to another, oldest first; of very
// many the newest.
func (p prefix) between(from, to time.Time) []string {
	if p.step == 0 {
		return []string{p.text}
	}
	from, to = from.UTC().Truncate(p.step), to.UTC().Add(p.step)
	if earliest := to.Add(-maxExpanded * p.step); from.Before(earliest) {
		from = earliest
	}
	var out []string
	for at := from; !at.After(to); at = at.Add(p.step) {
		text := p.text
		for _, part := range dateParts {
			text = strings.ReplaceAll(text, part.name, at.Format(part.layout))
		}
		if len(out) == 0 || out[len(out)-1] != text {
			out = append(out, text)
		}
	}
	return out
}

// expand lists the beginnings of keys that are to be looked at for objects of a time.
func (c *Collector) expand(from, to time.Time) []string {
	var out []string
	for _, p := range c.prefixes {
		out = append(out, p.between(from, to)...)
	}
	return out
}

// under says whether a key begins as one of the prefixes does.
func (c *Collector) under(key string) bool {
	for _, p := range c.prefixes {
		if p.keys == nil || p.keys.MatchString(key) {
			return true
		}
	}
	return false
}
