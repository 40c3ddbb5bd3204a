package app

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
	"vigil/internal/privacy"
)

// guiseCookie holds as whom a demonstration is looked at.
const guiseCookie = "vigil-demo"

// demoDoor lets everybody in as one of two made-up people, so that what takes two can be
// tried by one. It is for a demonstration alone, which holds nobody's data.
type demoDoor struct {
	secret []byte
	people []api.Person
}

// demoNames are the two, the first of whom everybody is at first.
func demoNames() []string { return []string{"Ada", "Bo"} }

// newDemoDoor makes one; its forms are those of this process.
func newDemoDoor() *demoDoor {
	d := &demoDoor{secret: make([]byte, 32)}
	_, _ = rand.Read(d.secret) // never fails
	return d
}

// use says under which key the two have their pseudonyms.
func (d *demoDoor) use(p *privacy.Pseudonymizer) {
	for _, name := range demoNames() {
		sum := hmac.New(sha256.New, d.secret)
		_, _ = sum.Write([]byte(name)) // a hash never fails
		d.people = append(d.people, api.Person{
			Name: name, By: p.Actor("", name), Logins: logins([]string{name}), Roles: access.Roles(), Way: api.WayOpen,
			Form: hex.EncodeToString(sum.Sum(nil)[:16]),
		})
	}
}

// Who implements gate.Door.
func (d *demoDoor) Who(r *http.Request) (api.Person, error) {
	if len(d.people) == 0 {
		return api.Person{}, nil
	}
	who := d.people[d.at(r)]
	who.Signed = time.Now()
	return who, nil
}

func (d *demoDoor) at(r *http.Request) int {
	c, err := r.Cookie(guiseCookie)
	if err != nil {
		return 0
	}
	return max(0, slices.Index(demoNames(), c.Value))
}

// Member implements roster.
func (d *demoDoor) Member(_ context.Context, by string) (u identity.User, ok bool, err error) {
	for i := range d.people {
		if p := &d.people[i]; p.By == by {
			return identity.User{Name: p.Name, By: p.By, Roles: p.Roles, Logins: p.Logins}, true, nil
		}
	}
	return u, false, nil
}

// Members implements roster.
func (d *demoDoor) Members(ctx context.Context) (out []identity.User, err error) {
	for i := range d.people {
		u, _, _ := d.Member(ctx, d.people[i].By) // never fails
		out = append(out, u)
	}
	return out, nil
}

// Guises implements api.Guises.
func (d *demoDoor) Guises(r *http.Request) (out []api.Guise) {
	at := d.at(r)
	for i, name := range demoNames() {
		out = append(out, api.Guise{Key: name, Name: name, Current: i == at})
	}
	return out
}

// Take implements api.Guises.
func (d *demoDoor) Take(w http.ResponseWriter, key string) {
	name := cmp.Or(key, demoNames()[0])
	if slices.Contains(demoNames(), name) {
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // a demonstration is plain http on this machine, and this is no secret
			Name: guiseCookie, Value: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
}
