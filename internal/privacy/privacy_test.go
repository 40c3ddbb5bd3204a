package privacy_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"vigil"
	"vigil/internal/privacy"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func newPseudonymizer(t testing.TB, opts privacy.Options) *privacy.Pseudonymizer {
	t.Helper()
	p, err := privacy.New(key, opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPseudonymsHoldTheirForm(t *testing.T) {
	t.Parallel()
	p := newPseudonymizer(t, privacy.Options{})
	form := regexp.MustCompile(`^(actor|subject|session|conversation|ticket)-[0-9a-hjkmnp-tv-z]{13}$`)
	seen := map[string]string{}
	for _, tenant := range []string{"", "a", "b", "ab"} {
		for _, id := range []string{"maria", "Maria", "a", "ab", "b", "cust-17", strings.Repeat("x", 100_000), "\x00", "é"} {
			for name, got := range map[string]string{
				"actor": p.Actor(tenant, id), "subject": p.Subject(tenant, id), "session": p.Session(tenant, id),
				"conversation": p.Conversation(tenant, id), "ticket": p.Ticket(tenant, id),
			} {
				if !form.MatchString(got) {
					t.Fatalf("%s of %.20q is %q", name, id, got)
				}
				what := fmt.Sprint(name, "/", tenant, "/", id)
				if other, twice := seen[got[len(name):]]; twice {
					t.Errorf("%.40s and %.40s share %s", what, other, got)
				}
				seen[got[len(name):]] = what
			}
		}
	}
	if p.Actor("t", "") != "" {
		t.Error("the empty id has a pseudonym")
	}
	// The form is kept for ever: a change here changes everybody's pseudonyms.
	if got := p.Actor("acme", "maria"); got != "actor-4pd3e18564v5a" {
		t.Errorf("pinned pseudonym is now %q", got)
	}
	other, err := privacy.New([]byte("another key of enough bytes"), privacy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if other.Actor("acme", "maria") == p.Actor("acme", "maria") {
		t.Error("the key does not matter")
	}
}

func TestCacheIsBoundedAndHarmless(t *testing.T) {
	t.Parallel()
	small, large := newPseudonymizer(t, privacy.Options{CacheSize: 64}), newPseudonymizer(t, privacy.Options{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 5_000 {
				id := fmt.Sprint("id-", (i*7+w)%1_000)
				if a, b := small.Subject("t", id), large.Subject("t", id); a != b {
					t.Errorf("%s: %s and %s", id, a, b)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := privacy.New([]byte("short"), privacy.Options{}); err == nil {
		t.Error("a short key is taken")
	}
	if _, err := privacy.New(key, privacy.Options{CacheSize: -1}); err == nil {
		t.Error("a negative cache is taken")
	}
}

func canaryEvent() *vigil.Event {
	e := vigil.NewEvent()
	e.ID, e.Time, e.Source = "canary-id", time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), "helpdesk"
	e.Actor = vigil.Actor{ID: "canary-actor", App: "psql\x1b[31m " + strings.Repeat("é", 200)}
	e.Principal, e.Session, e.Conversation, e.Ticket = "canary-principal", "canary-session", "canary-conversation", "canary-ticket"
	e.Purpose = "customer asked for canary-purpose"
	e.Action, e.Store, e.Resource = vigil.ActionRead, "chat", "/users/canary@example.com/messages"
	e.Shape = "GET /users/canary%40example.com"
	e.Fields = []string{"email", "canary@example.com"}
	e.Subjects = []string{"canary-subject", "canary-principal"}
	e.SubjectCount = 2
	e.IP = "198.51.100.77"
	e.UserAgent = "Mozilla\r\n\u202Ecanary@example.com" + strings.Repeat("x", 300)
	e.Destination = &vigil.Destination{Kind: "webhook", Network: "203.0.113.9"}
	return e
}

func TestEventKeepsNobody(t *testing.T) {
	t.Parallel()
	p := newPseudonymizer(t, privacy.Options{})
	e := canaryEvent()
	p.Event(e, "acme")
	if text := fmt.Sprintf("%+v %+v", *e, *e.Destination); strings.Contains(text, "canary") || strings.Contains(text, "198.51.100.77") || strings.Contains(text, "203.0.113.9") {
		t.Errorf("someone shows: %s", text)
	}
	if e.Network != "198.51.100.0/24" || e.IP != "" || e.Destination.Network != "203.0.113.0/24" {
		t.Errorf("network %q, address %q, destination %+v", e.Network, e.IP, e.Destination)
	}
	if e.Subjects[1] != e.Principal {
		t.Error("a principal and a subject of one id differ")
	}
	if e.Resource != "/users/{id}/messages" || e.Shape != "GET /users/{id}" {
		t.Errorf("resource %q, shape %q", e.Resource, e.Shape)
	}
	for _, text := range []string{e.UserAgent, e.Actor.App} {
		if len(text) > 200 || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x1b\u202e") {
			t.Errorf("unclean text %q", text)
		}
	}
	again := canaryEvent()
	p.Event(again, "acme")
	if again.ID != e.ID || again.Actor.ID != e.Actor.ID {
		t.Error("the same event has another id")
	}
}

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	p := newPseudonymizer(t, privacy.Options{})
	event := func(actorTenant, resourceTenant, source string) *vigil.Event {
		e := vigil.NewEvent()
		e.Actor = vigil.Actor{ID: "m", Tenant: actorTenant}
		e.ResourceTenant = resourceTenant
		e.Subjects = []string{"17"}
		p.Event(e, source)
		return e
	}
	if a, b := event("", "", "a"), event("", "", "b"); a.Actor.ID == b.Actor.ID || a.Subjects[0] == b.Subjects[0] {
		t.Error("two sources' tenants share pseudonyms")
	}
	crossed, home := event("a", "b", ""), event("b", "b", "")
	if crossed.Subjects[0] != home.Subjects[0] {
		t.Error("a subject read from outside has another pseudonym than at home")
	}
	if crossed.Actor.ID == home.Actor.ID {
		t.Error("actors of two tenants share a pseudonym")
	}
	// A source that tells the resource's tenant only now and then names its
	// subjects the same way all along.
	if a, b := event("", "b", "s"), event("", "", "s"); a.Subjects[0] != b.Subjects[0] {
		t.Error("a subject's pseudonym comes and goes with the resource's tenant")
	}
}

func TestQuarantinedHidesWhatItQuotes(t *testing.T) {
	t.Parallel()
	p := newPseudonymizer(t, privacy.Options{})
	for reason, want := range map[string]string{
		"time is missing":                        "time is missing",
		`actor "maria" is odd`:                   `actor "…" is odd`,
		`a "b\"maria\"c" d "e" f`:                `a "…" d "…" f`,
		`unclosed "maria and more`:               `unclosed "…"`,
		`mail maria@example.com is not expected`: `mail {id} is not expected`,
	} {
		q := vigil.Quarantined{Reason: reason}
		if p.Quarantined(&q); q.Reason != want {
			t.Errorf("%s\n got %s\nwant %s", reason, q.Reason, want)
		}
	}
}

func TestPurposeKeepsWordsOnly(t *testing.T) {
	t.Parallel()
	p := newPseudonymizer(t, privacy.Options{})
	for purpose, kept := range map[string]bool{"": true, "quality-review": true, "for Maria": false, "m@x": false} {
		e := vigil.NewEvent()
		e.Purpose = purpose
		if p.Event(e, ""); (e.Purpose == purpose) != kept {
			t.Errorf("purpose %q became %q", purpose, e.Purpose)
		}
	}
}

func TestLoadKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			k, err := privacy.LoadKey(dir)
			if err != nil {
				t.Error(err)
			}
			keys[i] = k
		})
	}
	wg.Wait()
	for _, k := range keys {
		if len(k) != 32 || !bytes.Equal(k, keys[0]) {
			t.Fatalf("keys differ: %x and %x", k, keys[0])
		}
	}
	path := filepath.Join(dir, "pseudonym.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := privacy.LoadKey(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key open to all: %v", err)
	}
	if err := os.WriteFile(path, []byte("zz"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := privacy.LoadKey(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
	if _, err := privacy.LoadKey(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing folder is made")
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain")
	f.Add("a@b \x00\xff\u202e%40")
	f.Fuzz(func(t *testing.T, s string) {
		got := privacy.Text(s)
		if len(got) > 200 || !utf8.ValidString(got) {
			t.Fatalf("Text(%q) = %q", s, got)
		}
		for _, r := range got {
			if r < 0x20 || r == 0x7f || r == '\u202e' {
				t.Fatalf("Text(%q) = %q", s, got)
			}
		}
	})
}
