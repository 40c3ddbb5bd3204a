package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/api/rest"
)

// office makes a secret of each deed, the same for the same one.
type office struct{ asked int }

func (o *office) People(context.Context) ([]api.AccountView, error) { return nil, nil }

func (o *office) SetRoles(context.Context, string, []access.Role, int64) error { return nil }

func (o *office) Invite(ctx context.Context, name string, _ []access.Role) (string, time.Time, error) {
	o.asked++
	return fmt.Sprintf("https://vigil.example.com/set-up?token=canary-%s-%s", name, api.DeedOf(ctx)), time.Now(), nil
}

func (o *office) Disable(_ context.Context, by string, _ bool, seen int64) error {
	if by != "actor-1" || seen != api.AnyVersion && seen != 3 {
		return api.ErrStale
	}
	return nil
}

func (o *office) Tokens(context.Context) ([]api.TokenView, error) { return nil, nil }

func (o *office) MakeToken(ctx context.Context, ask api.NewToken) (string, api.TokenView, error) {
	o.asked++
	return "vgl_canary-" + api.DeedOf(ctx), api.TokenView{ID: "t-1", Name: ask.Name, Roles: ask.Roles}, nil
}

func (o *office) RevokeToken(context.Context, string) error { return nil }

// Secrets are told again to the same write, and are not among what is kept of writes.
func TestSecretsAreKeptNowhere(t *testing.T) {
	t.Parallel()
	s, o := newStore(1), &office{}
	h := servingWith(t, rest.Services{Reader: s, Once: s, People: o, Tokens: o})
	for path, body := range map[string]string{
		"/api/v1/tokens":   `{"name":"a script","roles":["viewer"],"for_seconds":86400}`,
		"/api/v1/accounts": `{"name":"ann","roles":["viewer"]}`,
	} {
		first := ask(t, h, "POST", path, body, rest.OnceHeader, "k"+path)
		again := ask(t, h, "POST", path, body, rest.OnceHeader, "k"+path)
		if first.code != 200 || !strings.Contains(first.body, "canary") || again.code != 200 || !strings.Contains(again.body, "canary") {
			t.Errorf("%s: %d %s, then %d %s", path, first.code, first.body, again.code, again.body)
		}
		if other := ask(t, h, "POST", path, strings.Replace(body, "viewer", "admin", 1), rest.OnceHeader, "k"+path); other.code != 422 {
			t.Errorf("%s: the key with another body: %d", path, other.code)
		}
	}
	if o.asked != 4 {
		t.Errorf("asked %d times", o.asked)
	}
	for key, d := range s.kept {
		if strings.Contains(string(d.Answer), "canary") || strings.Contains(key, "canary") || d.Print == "" {
			t.Errorf("kept: %s", d.Answer)
		}
	}
	if len(s.kept) != 2 {
		t.Errorf("%d answers are kept", len(s.kept))
	}
}

func TestAccountsAreChangedAsTheyWereSeen(t *testing.T) {
	t.Parallel()
	s, o := newStore(1), &office{}
	h := servingWith(t, rest.Services{Reader: s, People: o})
	for name, x := range map[string]struct {
		body string
		head []string
		code int
	}{
		"whatever it is":     {`{"disabled":true}`, nil, 200},
		"as it was seen":     {`{"disabled":true}`, []string{"If-Match", `"3"`}, 200},
		"as it is no more":   {`{"disabled":true}`, []string{"If-Match", `"2"`}, 412},
		"with an unknown":    {`{"disabled":true,"roles":["admin"]}`, nil, 400},
		"without what to do": {``, nil, 400},
	} {
		if got := ask(t, h, "PUT", "/api/v1/accounts/actor-1/state", x.body, x.head...); got.code != x.code {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
}
