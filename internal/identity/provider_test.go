package identity_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
)

// faulty is a provider that says what it is told to say.
type faulty struct {
	*httptest.Server
	key, other *rsa.PrivateKey

	mu sync.Mutex
	// say changes the claims of the next token; sign the way it is signed.
	say   func(claims map[string]any)
	sign  string
	codes map[string]url.Values // what each code was asked with
	// told is what is told of who signed in where it is asked for; nil refuses.
	told map[string]any
}

func startFaulty(t *testing.T) *faulty {
	t.Helper()
	f := &faulty{codes: map[string]url.Values{}}
	var err error
	if f.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if f.other, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": f.URL, "authorization_endpoint": f.URL + "/auth", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/keys", "userinfo_endpoint": f.URL + "/told",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": raw(f.key.N.Bytes()), "e": raw(big.NewInt(int64(f.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("/token", f.token)
	mux.HandleFunc("/told", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.told == nil || r.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(f.told)
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func raw(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// allow is what the provider does when somebody signs in there: it returns the address
// that they are sent back to.
func (f *faulty) allow(address string) string {
	u, _ := url.Parse(address)
	q := u.Query()
	f.mu.Lock()
	defer f.mu.Unlock()
	code := "code-" + q.Get("state")[:8]
	f.codes[code] = q
	return "/sign-in/back?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func (f *faulty) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.mu.Lock()
	defer f.mu.Unlock()
	q, ok := f.codes[r.PostForm.Get("code")]
	delete(f.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if !ok || q.Get("code_challenge_method") != "S256" || raw(sum[:]) != q.Get("code_challenge") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	now := time.Now()
	claims := map[string]any{
		"iss": f.URL, "sub": "subject-1234", "aud": "vigil", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": q.Get("nonce"),
		"email": "Carl@Example.com", "email_verified": true, "auth_time": now.Unix(),
	}
	if f.say != nil {
		f.say(claims)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": f.signed(claims)})
}

func (f *faulty) signed(claims map[string]any) string {
	alg, key := "RS256", f.key
	switch f.sign {
	case "none":
		alg = "none"
	case "another key":
		key = f.other
	}
	head, _ := json.Marshal(map[string]string{"alg": alg, "kid": "k", "typ": "JWT"})
	body, _ := json.Marshal(claims)
	text := raw(head) + "." + raw(body)
	if alg == "none" {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return text + "." + raw(sig)
}

// provided is an office to which people come by the provider.
func provided(t *testing.T, f *faulty) *office {
	t.Helper()
	return open(t, nil, identity.DoorConfig{Provider: identity.NewProvider(identity.ProviderConfig{
		Name: "Example", Issuer: f.URL, ClientID: "vigil", ClientSecret: "s", RedirectURL: "http://localhost:8470/sign-in/back",
		Claim: "groups", Groups: map[string][]access.Role{"soc": {access.RoleResponder}},
	})}, identity.User{Name: "carl", By: "actor-carl", Email: "carl@example.com", Roles: []access.Role{access.RoleViewer}},
		identity.User{Name: "dora", By: "actor-dora", Email: "dora@example.com", Roles: []access.Role{access.RoleAdmin}})
}

// begin begins a sign-in and returns where the provider would lead back to.
func (b *browser) begin(f *faulty, again bool) string {
	b.o.t.Helper()
	var address string
	err := b.do("/sign-in/provider", func(w http.ResponseWriter, r *http.Request) (err error) {
		address, err = b.o.door.Begin(w, r, "/sources", again)
		return err
	})
	if err != nil {
		b.o.t.Fatal(err)
	}
	return f.allow(address)
}

func (b *browser) end(back string) (next string, err error) {
	err = b.do(back, func(w http.ResponseWriter, r *http.Request) (err error) {
		next, err = b.o.door.End(w, r)
		return err
	})
	return next, err
}

func TestProvider(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	o := provided(t, f)
	b := o.browser()
	next, err := b.end(b.begin(f, false))
	if err != nil || next != "/sources" || b.signed() != "actor-carl" {
		t.Fatalf("%q, %v, signed in as %q", next, err, b.signed())
	}
	// Whoever gets the address later is not that person.
	f.say = func(c map[string]any) { c["sub"] = "5678" }
	if _, err := o.browser().signedBy(f); err == nil {
		t.Error("another subject of the same address was let in")
	}
	// The subject is the key: the address may change.
	f.say = func(c map[string]any) { c["email"] = "carl@elsewhere.example" }
	if b, err := o.browser().signedBy(f); err != nil || b.signed() != "actor-carl" {
		t.Errorf("the same subject under another address: %v", err)
	}
	// Somebody else proves it once more.
	f.say = func(c map[string]any) { c["sub"], c["email"] = "dora-sub", "dora@example.com" }
	if _, err := b.end(b.begin(f, true)); err == nil {
		t.Error("somebody else proved who carl is")
	}
	f.say = func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }
	if _, err := b.end(b.begin(f, true)); err == nil {
		t.Error("a proof of an hour ago counted as fresh")
	}
	f.say = nil
	if _, err := b.end(b.begin(f, true)); err != nil {
		t.Errorf("proved once more: %v", err)
	}
	// By group, without being configured.
	f.say = func(c map[string]any) { c["sub"], c["email"], c["groups"] = "eve", "eve@example.com", []string{"soc"} }
	eve, err := o.browser().signedBy(f)
	if err != nil || !api.PersonOf(eve.request("/").Context()).Has(access.RoleResponder) {
		t.Fatalf("by her group: %v", err)
	}
	f.say = func(c map[string]any) {
		c["sub"], c["email"], c["groups"] = "eve", "eve@example.com", []string{"sales"}
	}
	if _, err := o.browser().signedBy(f); err == nil {
		t.Error("eve left the group, and comes in")
	}
	dump, _ := json.Marshal(o.store.rows)
	for _, name := range []string{"eve@", "subject-1234", f.URL} {
		if strings.Contains(string(dump), name) {
			t.Errorf("%q stands in the store", name)
		}
	}
}

func (b *browser) signedBy(f *faulty) (*browser, error) {
	_, err := b.end(b.begin(f, false))
	return b, err
}

// A letter that is taken for another one makes nobody another person.
func TestProviderAddressesThatLookAlike(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	o := provided(t, f)
	o.users = append(o.users, identity.User{Name: "mike", By: "actor-mike", Email: "mike@example.com", Roles: []access.Role{access.RoleAdmin}})
	for _, email := range []string{"mi\u212ae@example.com", "mike@example\u3002com", "mike@example.com\u200b"} {
		f.say = func(c map[string]any) { c["email"], c["groups"] = email, []string{"soc"} }
		if b, err := o.browser().signedBy(f); err == nil {
			t.Errorf("%q comes in as %q", email, b.signed())
		}
	}
	f.say = func(c map[string]any) { c["email"] = "MIKE@Example.com" }
	if b, err := o.browser().signedBy(f); err != nil || b.signed() != "actor-mike" {
		t.Errorf("mike is refused: %v", err)
	}
}

// Nor is anybody let in by their group whom the configuration has named and names no more.
func TestProviderLetsInNobodyWithoutAName(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	o := provided(t, f)
	if _, err := o.browser().signedBy(f); err != nil {
		t.Fatal(err)
	}
	o.users = o.users[1:]
	f.say = func(c map[string]any) { c["groups"] = []string{"soc"} }
	if b, err := o.browser().signedBy(f); err == nil {
		t.Errorf("carl comes in as %+v", api.PersonOf(b.request("/").Context()))
	}
}

// Where an administrator comes by the provider, no link for the first account is made: it
// would stand in the log of each start.
func TestNoFirstLinkBesideTheProvider(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	o := provided(t, f)
	before, _, err := o.FirstRun(t.Context())
	if err != nil || before == "" {
		t.Fatalf("%q, %v", before, err)
	}
	if _, err := o.browser().signedBy(f); err != nil { // carl, who is none
		t.Fatal(err)
	}
	if token, _, err := o.FirstRun(t.Context()); err != nil || token == "" {
		t.Errorf("while no administrator has come: %q, %v", token, err)
	}
	f.say = func(c map[string]any) { c["sub"], c["email"] = "dora-sub", "dora@example.com" }
	if _, err := o.browser().signedBy(f); err != nil {
		t.Fatal(err)
	}
	if token, _, err := o.FirstRun(t.Context()); err != nil || token != "" {
		t.Errorf("a link is made: %q, %v", token, err)
	}
}

// Many providers keep the address and the groups out of the signed token.
func TestProviderTellsMoreWhereItIsAsked(t *testing.T) {
	t.Parallel()
	type told = map[string]any
	for name, x := range map[string]struct {
		signed, told told
		want         string
	}{
		"the address":              {nil, told{"sub": "subject-1234", "email": "dora@example.com", "email_verified": true}, "actor-dora"},
		"the groups":               {told{"email": "eve@example.com", "email_verified": true}, told{"sub": "subject-1234", "groups": []string{"soc"}}, "actor-eve-example-com"},
		"of somebody else":         {nil, told{"sub": "subject-5", "email": "dora@example.com", "email_verified": true}, ""},
		"an address of no proof":   {nil, told{"sub": "subject-1234", "email": "dora@example.com"}, ""},
		"the proof of another":     {told{"email_verified": true}, told{"sub": "subject-1234", "email": "dora@example.com"}, ""},
		"another than is signed":   {told{"email": "eve@example.com", "email_verified": true}, told{"sub": "subject-1234", "email": "dora@example.com"}, ""},
		"nothing":                  {nil, told{"sub": "subject-1234"}, ""},
		"nothing, since it is off": {nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaulty(t)
			f.told = x.told
			f.say = func(c map[string]any) {
				delete(c, "email")
				delete(c, "email_verified")
				maps.Copy(c, x.signed)
			}
			if b, _ := provided(t, f).browser().signedBy(f); b.signed() != x.want {
				t.Errorf("signed in as %q, want %q", b.signed(), x.want)
			}
		})
	}
}

func TestProviderIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		say  func(c map[string]any)
		sign string
		back func(o *office, b *browser, back string) string
	}{
		"unsigned":           {sign: "none"},
		"signed by another":  {sign: "another key"},
		"another issuer":     {say: func(c map[string]any) { c["iss"] = "https://evil.example" }},
		"for another client": {say: func(c map[string]any) { c["aud"] = "other" }},
		"for several":        {say: func(c map[string]any) { c["aud"] = []string{"vigil", "other"}; c["azp"] = "other" }},
		"over":               {say: func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }},
		"another nonce":      {say: func(c map[string]any) { c["nonce"] = "other" }},
		"no nonce":           {say: func(c map[string]any) { delete(c, "nonce") }},
		"no subject":         {say: func(c map[string]any) { delete(c, "sub") }},
		"unverified address": {say: func(c map[string]any) { c["email_verified"] = false }},
		"unknown address":    {say: func(c map[string]any) { c["email"] = "nobody@example.com" }},
		"the name of a user": {say: func(c map[string]any) { delete(c, "email"); c["preferred_username"] = "dora"; c["groups"] = "soc" }},
		"another state":      {back: func(_ *office, _ *browser, back string) string { return strings.Replace(back, "state=", "state=x", 1) }},
		"no state": {back: func(_ *office, _ *browser, back string) string {
			before, _, _ := strings.Cut(back, "&state=")
			return before
		}},
		"another provider":  {back: func(_ *office, _ *browser, back string) string { return back + "&iss=https%3A%2F%2Fevil.example" }},
		"an error":          {back: func(_ *office, _ *browser, back string) string { return strings.Replace(back, "code=", "error=", 1) }},
		"another browser's": {back: func(o *office, b *browser, back string) string { clear(b.cookies); return back }},
		"another's code":    {back: func(_ *office, _ *browser, back string) string { return strings.Replace(back, "code-", "code-x", 1) }},
		"a code that is used": {back: func(o *office, b *browser, back string) string {
			way := b.cookies["vigil-way"]
			if _, err := b.end(back); err != nil {
				o.t.Fatal(err)
			}
			clear(b.cookies)
			b.cookies["vigil-way"] = way
			return back
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaulty(t)
			f.say, f.sign = x.say, x.sign
			o := provided(t, f)
			b := o.browser()
			back := b.begin(f, false)
			if x.back != nil {
				back = x.back(o, b, back)
			}
			_, err := b.end(back)
			var p *api.Problem
			if !errors.As(err, &p) || b.signed() != "" {
				t.Errorf("%v, signed in as %q", err, b.signed())
			}
		})
	}
}

func TestPasswordsWorkWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	o := provided(t, f)
	f.Close()
	b := o.browser()
	err := b.do("/sign-in/provider", func(w http.ResponseWriter, r *http.Request) error {
		_, err := o.door.Begin(w, r, "/", false)
		return err
	})
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
		t.Errorf("the provider is away: %v", err)
	}
	o.first("dora")
	if err := b.signIn("dora", password); err != nil || b.signed() != "actor-dora" {
		t.Fatalf("%v", err)
	}
	if notes := o.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "past the sign-in provider") {
		t.Errorf("nobody is told: %q", notes)
	}
}
