package identity

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// DoorConfig is what a door is made with.
type DoorConfig struct {
	// Idle is after how long without anything asked a session ends, Absolute how long one
	// lasts at most. Zero means 15 minutes and 8 hours.
	Idle, Absolute time.Duration
	// SecureHost is the host, without a port, under which people come by https through
	// something that ends TLS before vigil; empty for none.
	SecureHost string
	// Base is the console's address as people reach it, without a slash at its end.
	Base string
	// Local is the token with which commands on this machine come; empty for none.
	Local string
	// Provider is with whom people sign in besides; nil for none.
	Provider *Provider
}

// The names of cookies. Over https they carry the prefix that keeps other hosts of a
// domain from setting them (RFC 6265bis, section 4.1.3.2); over plain http, which is taken
// on this machine alone, a browser would not keep them under it.
const (
	sessionCookie = "vigil"
	visitorCookie = "vigil-visitor"
	securePrefix  = "__Host-"
)

// ByHeader is in which a command of this machine tells whose command it is.
const ByHeader = "X-Vigil-By"

const (
	// touchEvery is how exactly it is kept when a session was seen last.
	touchEvery = 30 * time.Second
	// usedEvery is how exactly it is kept when a token was used last.
	usedEvery = time.Minute
)

// Door tells who asks, and lets people in and out. It implements gate.Door.
type Door struct {
	*Service
	cfg      DoorConfig
	sessions *scs.SessionManager
}

// Door makes a door.
func (s *Service) Door(cfg DoorConfig) *Door {
	cfg.Idle, cfg.Absolute = cmp.Or(cfg.Idle, 15*time.Minute), cmp.Or(cfg.Absolute, 8*time.Hour)
	// Not by scs.New: it would start a clean-up that never ends, of a store that is not used.
	m := &scs.SessionManager{Store: sessions{s.opts.Store}, Codec: codec{}, IdleTimeout: cfg.Idle, Lifetime: cfg.Absolute, HashTokenInStore: true}
	return &Door{Service: s, cfg: cfg, sessions: m}
}

// Secure reports whether a request came by https: to vigil itself, or to what stands
// before it under the name that the configuration gives.
func (d *Door) Secure(r *http.Request) bool {
	return r.TLS != nil || d.cfg.SecureHost != "" && strings.EqualFold(hostOf(r), d.cfg.SecureHost)
}

// Who implements gate.Door.
func (d *Door) Who(r *http.Request) (api.Person, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if d.cfg.Local != "" && subtle.ConstantTimeCompare([]byte(token), []byte(d.cfg.Local)) == 1 {
			return d.local(r), nil
		}
		return d.bearer(r.Context(), token)
	}
	if c, err := r.Cookie(d.cookieName(r, sessionCookie)); err == nil && c.Value != "" {
		who, err := d.visit(r.Context(), c.Value)
		if err != nil || who.By != "" {
			return who, err
		}
	}
	if c, err := r.Cookie(d.cookieName(r, visitorCookie)); err == nil && c.Value != "" {
		return api.Person{Form: d.form("visitor", c.Value)}, nil // nobody yet, with a form of their own
	}
	return api.Person{}, nil
}

// local is who runs a command on this machine: they may read the data folder, and so
// have what it holds anyway.
func (d *Door) local(r *http.Request) api.Person {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return api.Person{}
	}
	return d.Local(r.Header.Get(ByHeader))
}

// Local is who runs a command of a name on the machine that vigil runs on.
func (s *Service) Local(name string) api.Person {
	if name == "" || len(name) > 200 {
		name = "command line"
	}
	dir := s.opts.Directory()
	out := api.Person{
		Name: name, By: dir.Pseudonym(s.canonical(name)), Logins: dir.Logins(name), Way: api.WayLocal, Signed: s.now(),
		Roles: []access.Role{access.RoleResponder, access.RoleAnalyst, access.RolePrivacy, access.RoleAdmin},
	}
	if u, ok := named(dir, name); ok {
		out.Logins = append(out.Logins, u.Logins...)
	}
	return out
}

// visit is who has signed in with a session's token, nobody where it is over.
func (d *Door) visit(ctx context.Context, token string) (api.Person, error) {
	ctx, err := d.sessions.Load(ctx, token)
	if err != nil {
		return api.Person{}, err
	}
	one, ok := d.loaded(ctx)
	if !ok {
		return api.Person{}, nil
	}
	p, err := d.someone(ctx, one.By)
	if err != nil {
		return api.Person{}, err
	}
	now := d.now()
	if !p.in() || p.account.Generation != one.Generation || rolesText(p.roles) != one.Roles || now.Sub(one.Begun) >= d.cfg.Absolute {
		return api.Person{}, nil
	}
	if !api.Unattended(ctx) && now.Sub(one.Seen) >= touchEvery {
		one.Seen = now
		if err := d.commit(ctx, one); err != nil && !errors.Is(err, api.ErrNotFound) {
			d.opts.Logger.Warn("it can't be kept that a session goes on", slog.String("error", err.Error()))
		}
	}
	return api.Person{
		Name: p.name, By: p.by, Logins: p.logins, Roles: p.roles, Way: api.WaySession, Signed: one.Signed, Form: d.form("session", token),
	}, nil
}

// loaded returns the session of a context, false where it has none.
func (d *Door) loaded(ctx context.Context) (one session, ok bool) {
	text := d.sessions.GetString(ctx, sessionKey)
	return one, text != "" && json.Unmarshal([]byte(text), &one) == nil
}

func (d *Door) commit(ctx context.Context, one session) error {
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	d.sessions.Put(ctx, sessionKey, string(text))
	_, _, err = d.sessions.Commit(ctx)
	return err
}

// begin gives somebody who proved who they are a session with a new token, and ends the
// one they had.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, p *someone, provider bool) error {
	if err := d.bearable(r); err != nil {
		return err
	}
	now := d.now()
	one := session{
		ID: newID(), By: p.by, Generation: p.account.Generation, Roles: rolesText(p.roles), Provider: provider, Begun: now, Signed: now, Seen: now,
	}
	if err := d.makeRoom(r.Context(), p.by); err != nil {
		return err
	}
	// A token that was there before is never taken over: whoever set it would know it.
	ctx, err := d.sessions.Load(context.WithValue(r.Context(), beginning{}, true), "")
	if err != nil {
		return err
	}
	if err := d.commit(ctx, one); err != nil {
		return fmt.Errorf("begin session: %w", err)
	}
	if err := d.drop(r); err != nil {
		return err
	}
	d.setCookie(w, r, sessionCookie, d.sessions.Token(ctx), 0)
	d.setCookie(w, r, visitorCookie, "", -1)
	return nil
}

// drop ends the session that a request brings along.
func (d *Door) drop(r *http.Request) error {
	c, err := r.Cookie(d.cookieName(r, sessionCookie))
	if err != nil || c.Value == "" {
		return nil
	}
	ctx, err := d.sessions.Load(r.Context(), c.Value)
	if err != nil {
		return err
	}
	if _, ok := d.loaded(ctx); !ok {
		return nil
	}
	return d.sessions.Destroy(ctx)
}

// makeRoom ends the session of somebody that would be over first, where they have as many
// as they may.
func (d *Door) makeRoom(ctx context.Context, by string) error {
	rows, err := d.opts.Store.Credentials(ctx, record.KindSession, by, maxSessions)
	if err != nil || len(rows) < maxSessions {
		return err
	}
	slices.SortFunc(rows, func(a, b record.Record) int { return a.Ends.Compare(b.Ends) })
	return d.opts.Store.ChangeCredentials(ctx, record.Change{Record: record.Record{Kind: record.KindSession, Key: rows[0].Key}, Delete: true, Was: record.Any})
}

// errPlain says that a session would go over the network in the clear.
var errPlain = api.NewProblem(http.StatusForbidden, "This way is not safe to sign in",
	"Your password and your session would go over the network in the clear. Come by https, or on the machine itself by http://localhost.")

// bearable says whether a cookie may be given to whoever asks: over plain http only on
// this machine.
func (d *Door) bearable(r *http.Request) error {
	if d.Secure(r) || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(hostOf(r))) {
		return nil
	}
	return errPlain
}

func (d *Door) cookieName(r *http.Request, name string) string {
	if d.Secure(r) {
		return securePrefix + name
	}
	return name
}

// setCookie gives a cookie that ends with the browser, or after some seconds; negative
// takes it away. SameSite is Lax and not Strict: with Strict a link in a chat message would
// lead who is signed in to the sign-in page. What Lax lets pass, links that a person
// follows, changes nothing; what changes something wants the form's secret besides.
func (d *Door) setCookie(w http.ResponseWriter, r *http.Request, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure is set wherever the request came by https
		Name: d.cookieName(r, name), Value: value, Path: "/", MaxAge: seconds, Secure: d.Secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// form is the secret that the forms of a session bring along.
func (d *Door) form(kind, token string) string { return mark(d.keys.forms, kind, token) }

// Ready gives who is not signed in what the form of the sign-in must bring along.
func (d *Door) Ready(w http.ResponseWriter, r *http.Request) (form string) {
	if who := api.PersonOf(r.Context()); who.Form != "" {
		return who.Form
	}
	value := newSecret()
	d.setCookie(w, r, visitorCookie, value, 0)
	return d.form("visitor", value)
}

// addressOf is from where a request comes: of what came through a proxy on this machine,
// what the proxy says.
func addressOf(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := peer.Addr().Unmap()
	if hops := r.Header.Values("X-Forwarded-For"); addr.IsLoopback() && len(hops) > 0 {
		last := hops[len(hops)-1]
		if far, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])); err == nil {
			addr = far.Unmap()
		}
	}
	if addr.Is6() {
		// A network of this size is one customer's.
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return strings.Trim(r.Host, "[]")
}

func rolesText(roles []access.Role) string {
	all := slices.Clone(roles)
	slices.Sort(all)
	var b strings.Builder
	for _, r := range slices.Compact(all) {
		b.WriteString(string(r) + " ")
	}
	return b.String()
}
