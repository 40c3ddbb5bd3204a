package identity

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// wayCookie holds a sign-in that is under way at the provider.
const wayCookie = "vigil-way"

// clockSkew is how far a provider's clock may be off.
const clockSkew = time.Minute

// Begin implements api.ProviderSignIn.
func (d *Door) Begin(w http.ResponseWriter, r *http.Request, next string, again bool) (address string, err error) {
	if d.cfg.Provider == nil {
		return "", api.ErrNotFound
	}
	if err := d.bearable(r); err != nil {
		return "", err
	}
	u := underWay{State: newSecret(), Nonce: newSecret(), Verifier: oauth2.GenerateVerifier(), Next: next, Begun: d.now()}
	if who := api.PersonOf(r.Context()); again && who.Way == api.WaySession {
		u.Again = who.By
	}
	if address, err = d.cfg.Provider.address(r.Context(), u); err != nil {
		d.opts.Logger.Error("the sign-in provider can't be used", "error", fmt.Sprintf("%q", err.Error()))
		return "", errAway
	}
	text, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	d.setCookie(w, r, wayCookie, base64.RawURLEncoding.EncodeToString(seal(d.keys.states, text, wayCookie)), int(underWayFor.Seconds()))
	return address, nil
}

// End implements api.ProviderSignIn.
func (d *Door) End(w http.ResponseWriter, r *http.Request) (next string, err error) {
	if d.cfg.Provider == nil {
		return "", api.ErrNotFound
	}
	if err := d.bearable(r); err != nil {
		return "", err
	}
	u, ok := d.begun(r)
	d.setCookie(w, r, wayCookie, "", -1) // it is used up, whatever comes of it
	q := r.URL.Query()
	if !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(u.State)) != 1 {
		return "", errReturn
	}
	// A provider that names itself must be the one that was asked (RFC 9207).
	if iss := q.Get("iss"); iss != "" && iss != d.cfg.Provider.cfg.Issuer || q.Get("code") == "" {
		return "", errReturn
	}
	c, err := d.cfg.Provider.claimed(r.Context(), q.Get("code"), u, d.opts.Now)
	if err != nil {
		d.opts.Logger.Warn("a sign-in with the provider was refused", "error", fmt.Sprintf("%q", err.Error()))
		if told := d.refused(r.Context(), "provider"); told != nil {
			return "", told
		}
		var known *api.Problem
		if errors.As(err, &known) {
			return "", known
		}
		return "", errAway
	}
	p, changes, err := d.admitted(r.Context(), c)
	if err != nil {
		return "", err
	}
	how := "with the provider"
	if u.Again != "" {
		how = "again with the provider"
		if p.by != u.Again {
			return "", errOther
		}
		if c.at.Before(u.Begun.Add(-clockSkew)) {
			return "", errClaims // it was asked to have them type something, and did not
		}
	}
	if err := d.audit(r.Context(), p.by, "signed in "+how, "account "+p.by); err != nil {
		return "", err
	}
	p.account.Signed = d.now()
	if p.version == 0 {
		p.account.Made = p.account.Signed
	}
	if err := d.keep(r.Context(), &p, changes...); err != nil && !errors.Is(err, api.ErrStale) {
		return "", err
	}
	return u.Next, d.begin(w, r, &p, true)
}

// begun opens the sign-in that a browser has under way.
func (d *Door) begun(r *http.Request) (u underWay, ok bool) {
	c, err := r.Cookie(d.cookieName(r, wayCookie))
	if err != nil {
		return u, false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return u, false
	}
	text, err := open(d.keys.states, sealed, wayCookie)
	if err != nil || json.Unmarshal(text, &u) != nil {
		return u, false
	}
	return u, d.now().Sub(u.Begun) < underWayFor
}

// admitted is who somebody is whom the provider vouches for, and what is to be kept with
// them. Issuer and subject are the key; a verified address ties them to a user of the
// configuration once.
func (d *Door) admitted(ctx context.Context, c claims) (p someone, changes []record.Change, err error) {
	key := mark(d.keys.marks, "subject", c.issuer, c.subject)
	link, err := d.opts.Store.Credential(ctx, record.KindLink, key)
	switch {
	case err == nil:
		if p, err = d.someone(ctx, link.Owner); err != nil {
			return p, nil, err
		}
	case errors.Is(err, api.ErrNotFound):
		if p, err = d.newcomer(ctx, c); err != nil {
			return p, nil, err
		}
		changes = append(changes, record.Change{Record: record.Record{Kind: record.KindLink, Key: key, Owner: p.by, Data: []byte("{}")}})
	default:
		return p, nil, err
	}
	if !p.configured {
		p.account.Roles = d.cfg.Provider.rolesOf(c.groups)
		if rolesText(p.account.Roles) != rolesText(p.roles) && p.version > 0 {
			p.account.Generation++
		}
		d.fill(&p)
	}
	if !p.in() {
		return p, nil, errors.Join(errUnknown, d.refused(ctx, p.by))
	}
	return p, changes, nil
}

// lower makes the letters of ASCII lower ones. Others stay as they are: some of them would
// become letters of ASCII, as the Kelvin sign a k, and an address somebody else's.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// newcomer is who comes by the provider for the first time.
func (d *Door) newcomer(ctx context.Context, c claims) (someone, error) {
	dir := d.opts.Directory()
	all := dir.All()
	if at := slices.IndexFunc(all, func(u User) bool { return c.email != "" && lower(u.Email) == lower(c.email) }); at >= 0 {
		links, err := d.opts.Store.Credentials(ctx, record.KindLink, all[at].By, 1)
		if err != nil {
			return someone{}, err
		}
		if len(links) > 0 {
			// The address was somebody else's at the provider before.
			return someone{}, errors.Join(errUnknown, d.refused(ctx, all[at].By))
		}
		return d.someone(ctx, all[at].By)
	}
	name := lower(cmp.Or(c.email, c.name))
	by := dir.Pseudonym(name)
	if _, taken := named(dir, name); taken || name == "" || nameable(name) != nil || len(d.cfg.Provider.rolesOf(c.groups)) == 0 {
		return someone{}, errors.Join(errUnknown, d.refused(ctx, cmp.Or(by, "provider")))
	}
	p, err := d.someone(ctx, by)
	if err != nil {
		return p, err
	}
	if p.version > 0 {
		return p, errors.Join(errUnknown, d.refused(ctx, by)) // the name is an account of vigil's own
	}
	p.account.Sealed, err = d.sealName(by, whoIs{Name: name, Logins: slices.DeleteFunc([]string{c.email, c.name}, func(s string) bool { return s == "" })})
	return p, err
}
