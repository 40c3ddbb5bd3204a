package traffic

import (
	"fmt"
	"math"
	"time"

	"vigil"
)

// The shares of staff who are customers too, and whose spouse or parent is one, in
// percent.
const (
	staffCustomers = 10
	staffRelatives = 8
)

// noticeDays is how long before they go leavers give notice.
const noticeDays = 21

// people tells the directory: roles, teams, managers, who comes and who goes.
func (b *facts) people() {
	managers := map[string]string{}
	for _, a := range b.w.actors {
		if a.role.name == "supervisor" && managers[a.Team] == "" {
			managers[a.Team] = a.ID
		}
	}
	for _, a := range b.w.actors {
		p := vigil.Person{
			Actor: a.ID, Tenant: Tenant, Kind: a.Kind, Role: a.Role, Team: a.Team,
			Started: b.start().AddDate(0, 0, -90-int(a.taste%2_000)).Truncate(24 * time.Hour),
		}
		known := b.start()
		if a.role.pattern == shifts {
			if p.Manager = managers[a.Team]; p.Manager == a.ID {
				p.Manager = ""
			}
			p.Subject, p.Attributes = b.w.kin(a)
			if first := a.firstShift(); a.comes && first > 1 {
				p.Started = b.w.shiftOf(a, first).from.Truncate(24 * time.Hour)
				known = p.Started.AddDate(0, 0, -7)
			}
		}
		f := b.told(known, vigil.FactPerson)
		f.People = append(f.People, p)
		if last := a.lastShift(); a.goes && last >= 0 {
			// From the day after the last shift's end on, nothing may be read.
			p.Leaves = b.w.shiftOf(a, last).to.Add(26 * time.Hour).Truncate(24 * time.Hour)
			p.Notice = p.Leaves.AddDate(0, 0, -noticeDays)
			if p.Notice.Before(p.Started) {
				p.Notice = p.Started
			}
			// Within one telling the later record of a key counts.
			f := b.told(p.Notice.Add(9*time.Hour), vigil.FactPerson)
			f.People = append(f.People, p)
		}
	}
}

// kin is who somebody of the staff is as a customer, and what is known of the
// person beside the work.
func (w *World) kin(a *actor) (subject string, at vigil.Attributes) {
	u := mix(w.cfg.Seed ^ a.taste)
	base := uint64(w.Customers(w.cfg.Start))
	switch {
	case u%100 < staffCustomers:
		c := int(u >> 8 % base)
		return Customer(c), w.attributes(c)
	case u%100 < staffCustomers+staffRelatives:
		// Shares name and address with a customer, not phone and mail.
		at = w.attributes(int(u >> 8 % base))
		at.Phone, at.Email = hashed("phone", u), hashed("mail", u)
		return "", at
	}
	return "", vigil.Attributes{Surname: surname(u), Address: hashed("address", u), Phone: hashed("phone", u), Email: hashed("mail", u)}
}

// household tells who lives or buys together: some pairs, a few resellers with
// seven customers of their own. Empty for the others.
func (w *World) household(c int) string {
	switch {
	case mix(w.cfg.Seed^uint64(c/8)^0x4e5e11e4)%150 == 0:
		return fmt.Sprintf("reseller-%d", c/8)
	case mix(w.cfg.Seed^uint64(c/2)^0x40053)%100 < 12:
		return fmt.Sprintf("home-%d", c/2)
	}
	return ""
}

// attributes are a customer's.
func (w *World) attributes(c int) vigil.Attributes {
	one := mix(w.cfg.Seed<<20 ^ uint64(c) ^ 0xa77)
	home := one
	if h := w.household(c); h != "" && h[0] == 'h' {
		home = mix(w.cfg.Seed<<20 ^ uint64(c/2) ^ 0xa773)
	}
	return vigil.Attributes{Surname: surname(home), Address: hashed("address", home), Phone: hashed("phone", one), Email: hashed("mail", one)}
}

// surname draws one by Zipf's law: some are very common.
func surname(u uint64) string {
	const names = 3_000
	rank := math.Exp(float64(u>>11) / (1 << 53) * math.Log(names))
	return hashed("surname", uint64(rank))
}

// hashed is an attribute as a feed with a key of its own gives it.
func hashed(what string, u uint64) string {
	h := u
	for i := range len(what) {
		h = mix(h ^ uint64(what[i])<<24)
	}
	return fmt.Sprintf("h%015x", h>>4)
}

// The countries from which people work, by team, and the regions of customers.
var countries = map[string]string{"emea": "DE", "amer": "US", "apac": "SG"}

// homeCountry is that of the company's machines, vendorCountry of its vendors'.
const (
	homeCountry   = "DE"
	vendorCountry = "US"
)

// country is from where an actor works, as a database of networks would tell.
func (a *actor) country() string {
	switch {
	case a.Kind == vigil.KindVendor:
		return vendorCountry
	case a.Team != "":
		return countries[a.Team]
	}
	return homeCountry
}

// RegionOf is where a customer lives and the countries from which the record may be
// read: those of the offices, by contract, and where staff may travel.
func RegionOf(seed uint64, customer int) (region string, readers []string) {
	switch u := mix(seed^uint64(customer)^0x4e610) % 100; {
	case u < 60:
		return "EU", []string{"AT", "DE", "FR", "NL", "SG", "US"}
	case u < 88:
		return "US", []string{"CA", "DE", "SG", "US"}
	}
	return "SG", []string{"DE", "SG", "US"}
}

// customers tells of each customer: household, region, whether people are curious.
func (b *facts) customers() {
	famous := map[string]bool{}
	for _, o := range b.w.log {
		if o.Happening == VIPIncident {
			for _, s := range o.Subjects {
				famous[s] = true
			}
		}
	}
	known := b.w.Customers(b.start())
	for c := range known {
		b.customer(b.start(), c, famous)
	}
	// Who is new signs up on the day before writing.
	for at := b.start(); at.Before(b.end()); at = at.AddDate(0, 0, 1) {
		for now := b.w.Customers(at.AddDate(0, 0, 1)); known <= now; known++ {
			b.customer(at, known, famous)
		}
	}
}

func (b *facts) customer(at time.Time, c int, famous map[string]bool) {
	id := Customer(c)
	region, readers := RegionOf(b.w.cfg.Seed, c)
	f := b.told(at, vigil.FactCustomer)
	f.Customers = append(f.Customers, vigil.Customer{
		Subject: id, Tenant: Tenant, Household: b.w.household(c), VIP: famous[id] || mix(b.w.cfg.Seed^uint64(c)^0x71f)%400 == 0,
		Region: region, Regions: readers, Attributes: b.w.attributes(c),
	})
}
