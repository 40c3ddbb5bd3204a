// Package honey makes customers who do not exist, keeps a register of them, and so
// lets any read of them be recognised: nobody has a reason to open the record of
// somebody who never wrote.
//
// The commands call it. Nothing here is safe for concurrent use. People are drawn
// from lists of common names and places; telephone numbers are of the ranges that
// numbering authorities keep free for fiction, and mail addresses of a domain that the
// user gives.
package honey

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Person is a customer who does not exist.
type Person struct {
	ID, Given, Surname, Email, Phone string
	Street, Postcode, City, Country  string
	// Created is when the record claims to have been made.
	Created time.Time
	// Variant names whom the record is planted for.
	Variant string
}

// Name is the person's whole name.
func (p *Person) Name() string { return p.Given + " " + p.Surname }

// The bounds of one planting.
const (
	MaxCount    = 10_000
	MaxVariants = 200
)

// Config is what a user says of the people to be made.
type Config struct {
	// Count is how many are made for each variant, 1 to MaxCount in all.
	Count int
	// Variants names whom they are planted for, such as vendors: each gets people of
	// its own, so that a touched one tells which copy leaked. Empty means one that has
	// no name.
	Variants []string
	// Like is an identifier as the store gives them: the new ones have its form, with
	// its last number counted on from it in small uneven steps. Empty makes UUIDs.
	Like string
	// Domain is that of the mail addresses. It should be the user's own.
	Domain string
	// Now is the time of planting; records claim to be up to two years older.
	Now time.Time
	// Seed makes the same people again; 0 draws one that nobody can guess.
	Seed uint64
}

// ErrConfig says that people can't be made as asked.
var ErrConfig = errors.New("honey records can't be made")

func (c *Config) check() error {
	switch {
	case c.Count < 1:
		return fmt.Errorf("%w: count is %d, at least 1", ErrConfig, c.Count)
	case len(c.Variants) > MaxVariants:
		return fmt.Errorf("%w: %d variants, at most %d", ErrConfig, len(c.Variants), MaxVariants)
	case c.Count > MaxCount/max(1, len(c.Variants)):
		return fmt.Errorf("%w: more than %d records at once", ErrConfig, MaxCount)
	case c.Domain == "" || strings.ContainsAny(c.Domain, "@ '\"\\,;") || !strings.Contains(c.Domain, "."):
		return fmt.Errorf("%w: domain %q is none; give one that you own, such as mail.example.com", ErrConfig, c.Domain)
	case c.Like != "" && !strings.ContainsAny(c.Like, "0123456789"):
		return fmt.Errorf("%w: the identifier %q has no number to count on from; leave it out for UUIDs", ErrConfig, c.Like)
	}
	seen := map[string]bool{}
	for _, v := range c.Variants {
		if v == "" || seen[v] {
			return fmt.Errorf("%w: the variant %q is empty or named twice", ErrConfig, v)
		}
		seen[v] = true
	}
	return nil
}

// Make draws people. No two share an identifier, a name or a mail address.
func Make(cfg Config) ([]Person, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	seed := cfg.Seed
	if seed == 0 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		seed = binary.LittleEndian.Uint64(b[:])
	}
	m := maker{rng: mathrand.New(mathrand.NewPCG(seed, 0x40e4)), cfg: cfg, names: map[string]bool{}}
	if cfg.Like != "" {
		var err error
		if m.ids, err = newCounter(cfg.Like); err != nil {
			return nil, err
		}
	}
	variants := cfg.Variants
	if len(variants) == 0 {
		variants = []string{""}
	}
	var out []Person
	for _, v := range variants {
		for range cfg.Count {
			p := m.person()
			p.Variant = v
			out = append(out, p)
		}
	}
	return out, nil
}

type maker struct {
	rng   *mathrand.Rand
	cfg   Config
	ids   *counter
	names map[string]bool
}

func (m *maker) person() Person {
	land := &lands[m.rng.IntN(len(lands))]
	p := Person{Country: land.code, Created: m.created()}
	for try := 0; ; try++ {
		p.Given, p.Surname = draw(m.rng, land.given), draw(m.rng, land.surnames)
		if try > 50 { // the lists are used up: a second name
			p.Given += " " + draw(m.rng, land.given)
		}
		if !m.names[p.Name()] {
			m.names[p.Name()] = true
			break
		}
	}
	p.Email = m.email(&p)
	p.Phone = land.phone(m.rng)
	p.Street, p.Postcode, p.City = land.address(m.rng)
	p.ID = m.id()
	return p
}

// created is up to two years ago, more likely of late, in waking hours.
func (m *maker) created() time.Time {
	days := 1 + int(720*math.Pow(m.rng.Float64(), 1.5))
	day := m.cfg.Now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	return day.Add(7*time.Hour + time.Duration(m.rng.Int64N(int64(14*time.Hour)))).Truncate(time.Second)
}

// email is made of the name in one of the ways in which people do it.
func (m *maker) email(p *Person) string {
	given, surname := plainLetters(p.Given), plainLetters(p.Surname)
	var local string
	switch m.rng.IntN(4) {
	case 0:
		local = given + "." + surname
	case 1:
		local = given[:1] + surname
	case 2:
		local = given + surname[:1] + strconv.Itoa(60+m.rng.IntN(45))
	default:
		local = surname + "." + given
	}
	for base, n := local, 2; m.names["@"+local]; n++ {
		local = base + strconv.Itoa(n)
	}
	m.names["@"+local] = true
	return local + "@" + m.cfg.Domain
}

func (m *maker) id() string {
	if m.ids != nil {
		return m.ids.next(m.rng)
	}
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], m.rng.Uint64())
	binary.LittleEndian.PutUint64(b[8:], m.rng.Uint64())
	b[6] = b[6]&0x0f | 0x40 // RFC 9562, version 4
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// counter counts on from the last number of an identifier.
type counter struct {
	before, after string
	width         int
	n             uint64
}

func newCounter(like string) (*counter, error) {
	end := strings.LastIndexAny(like, "0123456789") + 1
	start := end
	for start > 0 && like[start-1] >= '0' && like[start-1] <= '9' {
		start--
	}
	n, err := strconv.ParseUint(like[start:end], 10, 62)
	if err != nil {
		return nil, fmt.Errorf("%w: the number in %q is too long to count on from", ErrConfig, like)
	}
	c := &counter{before: like[:start], after: like[end:], n: n}
	if like[start] == '0' {
		c.width = end - start
	}
	return c, nil
}

// next steps on unevenly: ids that follow each other would be found out.
func (c *counter) next(rng *mathrand.Rand) string {
	c.n += 1 + uint64(rng.IntN(17))
	return fmt.Sprintf("%s%0*d%s", c.before, c.width, c.n, c.after)
}

func draw[T any](rng *mathrand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// plainLetters is a name as it stands in a mail address.
func plainLetters(s string) string {
	s = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "é", "e", "è", "e", "ë", "e", "ê", "e", "ç", "c", "á", "a",
		"í", "i", "ó", "o", "ñ", "n", "ï", "i", "É", "e", "Ö", "oe", "Á", "a").Replace(s)
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' {
			b.WriteRune(r)
		}
	}
	return b.String()
}
