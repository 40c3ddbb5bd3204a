package privacy

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"vigil"
)

// The spaces of what feeds tell besides identifiers.
const (
	kindRecord    kind = "record"
	kindHousehold kind = "household"
	kindSurname   kind = "surname"
	kindAddress   kind = "address"
	kindPhone     kind = "phone"
	kindEmail     kind = "email"
)

// Facts replaces, in place, everything in f that names a person: actors, customers,
// conversations and tickets get the pseudonyms that they have in events, and what two
// people may share (surname, address, phone, mail address) becomes a keyed hash of it
// in a normal form. What a feed has hashed already is hashed again. A nil
// Pseudonymizer leaves names as they stand and only brings them into the normal form.
//
// tenant is the feed's own; a record's tenant counts where it has one. Each record
// passes once, like events.
func (p *Pseudonymizer) Facts(f *vigil.Facts, tenant string) {
	h := hider{p, tenant}
	for i := range f.People {
		x := &f.People[i]
		h := h.of(x.Tenant)
		h.actor(&x.Actor)
		h.actor(&x.Manager)
		h.subject(&x.Subject)
		h.attributes(&x.Attributes)
		h.texts(&x.Role, &x.Team, &x.Tenant)
	}
	for i := range f.Assignments {
		x := &f.Assignments[i]
		h := h.of(x.Tenant)
		h.who(&x.Who)
		h.name(kindRecord, &x.ID)
		h.name(kindConversation, &x.Conversation)
		h.name(kindTicket, &x.Ticket)
		h.subject(&x.Subject)
		h.texts(&x.Store, &x.Resource)
		h.word(&x.Purpose)
	}
	for i := range f.Shifts {
		x := &f.Shifts[i]
		h := h.of(x.Tenant)
		h.who(&x.Who)
		h.name(kindRecord, &x.ID)
	}
	for i := range f.Changes {
		x := &f.Changes[i]
		h := h.of(x.Tenant)
		h.who(&x.Who)
		h.name(kindTicket, &x.ID)
		h.texts(&x.Store, &x.Resource)
	}
	for i := range f.Consents {
		x := &f.Consents[i]
		h := h.of(x.Tenant)
		h.subject(&x.Subject)
		h.word(&x.Purpose)
		h.texts(&x.Tenant)
	}
	for i := range f.Contracts {
		h.of(f.Contracts[i].Tenant).contract(&f.Contracts[i])
	}
	for i := range f.Customers {
		x := &f.Customers[i]
		h := h.of(x.Tenant)
		h.subject(&x.Subject)
		h.name(kindHousehold, &x.Household)
		h.attributes(&x.Attributes)
		h.texts(&x.Region, &x.Tenant)
		h.list(x.Regions)
	}
	for i := range f.Purposes {
		x := &f.Purposes[i]
		h := h.of(x.Tenant)
		h.who(&x.Who)
		h.name(kindRecord, &x.ID)
		h.word(&x.Purpose)
	}
	for i := range f.Honey {
		x := &f.Honey[i]
		h := h.of(x.Tenant)
		h.subject(&x.Subject)
		h.texts(&x.Variant, &x.Tenant)
	}
}

// hider replaces within one tenant.
type hider struct {
	p      *Pseudonymizer
	tenant string
}

func (h hider) of(tenant string) hider {
	if tenant != "" {
		h.tenant = tenant
	}
	return h
}

func (h hider) name(k kind, id *string) {
	if h.p != nil {
		*id = h.p.name(k, h.tenant, *id)
	}
}

func (h hider) actor(id *string)   { h.name(kindActor, id) }
func (h hider) subject(id *string) { h.name(kindSubject, id) }

func (h hider) texts(all ...*string) {
	if h.p == nil {
		return
	}
	for _, s := range all {
		*s = Text(*s)
	}
}

func (h hider) list(all []string) {
	for i := range all {
		h.texts(&all[i])
	}
}

func (h hider) word(s *string) {
	if !isWord(*s) {
		h.name(kindPurpose, s)
	}
}

func (h hider) who(w *vigil.Who) {
	h.actor(&w.Actor)
	h.texts(&w.Role, &w.Team, &w.Tenant)
}

func (h hider) contract(c *vigil.Contract) {
	h.who(&c.Who)
	h.name(kindRecord, &c.ID)
	for _, l := range [...][]string{c.Stores, c.Resources, c.Fields, c.Networks, c.Regions, c.Destinations} {
		h.list(l)
	}
	// Where data goes to stands in events by its network.
	for i, d := range c.Destinations {
		if n := vigil.NetworkOf(d); n != "" && h.p != nil {
			c.Destinations[i] = n
		}
	}
}

func (h hider) attributes(a *vigil.Attributes) {
	for _, x := range [...]struct {
		k    kind
		text *string
		as   func(string) string
	}{
		{kindSurname, &a.Surname, letters}, {kindAddress, &a.Address, address}, {kindPhone, &a.Phone, phone}, {kindEmail, &a.Email, mail},
	} {
		*x.text = x.as(*x.text)
		h.name(x.k, x.text)
	}
}

// letters is a text in lower case, without accents, spaces and punctuation, and with
// the vowels that some write for an accent (Mueller) as those without (Müller).
func letters(s string) string {
	return strings.NewReplacer("ae", "a", "oe", "o", "ue", "u").Replace(bare(s))
}

func bare(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		switch {
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ø':
			b.WriteByte('o')
		case r == 'ł':
			b.WriteByte('l')
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// address is a postal address whose words for a street are one.
func address(s string) string {
	return strings.NewReplacer("strasse", "str", "street", "str", "avenue", "ave").Replace(letters(s))
}

// phoneDigits is how many digits at the end of a phone number tell it: those before
// are a country's or a trunk's, written or left out.
const phoneDigits = 9

func phone(s string) string {
	var digits []byte
	for _, r := range s {
		if r >= '0' && r <= '9' {
			digits = append(digits, byte(r))
		}
	}
	if len(digits) == 0 || strings.IndexFunc(s, unicode.IsLetter) >= 0 {
		return letters(s) // hashed already, or no number
	}
	return string(digits[max(0, len(digits)-phoneDigits):])
}

func mail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
