package app_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vigil/internal/access"
	"vigil/internal/app"
	"vigil/internal/config"
)

// secretsOf lists the secrets that are set in a configuration, wherever they stand.
func secretsOf(t *testing.T, v reflect.Value) (out []string) {
	t.Helper()
	if s, ok := v.Interface().(config.Secret); ok {
		text, err := s.Reveal()
		if err != nil {
			t.Fatal(err)
		}
		if text != "" {
			out = append(out, text)
		}
		return out
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			out = secretsOf(t, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out = append(out, secretsOf(t, v.Field(i))...)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			out = append(out, secretsOf(t, v.Index(i))...)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			out = append(out, secretsOf(t, v.MapIndex(k))...)
		}
	}
	return out
}

// TestSecretsOfTheConfigurationStayInside runs a service of which everything that it
// speaks to refuses, since it is in errors that secrets leak, asks for every page and
// every part of the API, and looks for the secrets in all that came out and is kept.
func TestSecretsOfTheConfigurationStayInside(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1000)
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
		// One that repeats in its error what it was sent.
		http.Error(w, "refused: "+r.Header.Get("Authorization")+" "+r.URL.String(), http.StatusForbidden)
	}))
	t.Cleanup(far.Close)
	cfg := configure(t, t.TempDir())
	secret := func(name string) config.Secret { return config.NewSecret("canary-" + name + "-0123456789abcdef") }
	cfg.PseudonymKey = secret("pseudonym-key")
	cfg.Influx = config.Influx{URL: far.URL, Token: secret("influx"), Org: "o", Bucket: "b"}
	cfg.Slack = config.Slack{Token: config.NewSecret("xoxb-canary-slack"), Channel: "C0123ABC", SigningSecret: secret("signing"), APIURL: far.URL + "/"}
	cfg.Accounts.OIDC = &config.OIDC{Issuer: far.URL, ClientID: "vigil", ClientSecret: secret("oidc")}
	cfg.Sources = append(cfg.Sources,
		config.Source{Name: "support", Zendesk: &config.Zendesk{URL: far.URL, Email: "a@example.com", Token: secret("zendesk"), AllowPrivate: true}},
		config.Source{Name: "chat", Intercom: &config.Intercom{URL: far.URL, Token: secret("intercom"), AllowPrivate: true}},
	)
	secrets := secretsOf(t, reflect.ValueOf(cfg))
	if len(secrets) < 8 {
		t.Fatalf("%d secrets are set: %q", len(secrets), secrets)
	}
	w := guarded(t, cfg)
	v := visit(t, w)
	if code, body := v.setUp(w.SetUpLink(), "all", goodPassword); code != http.StatusSeeOther {
		t.Fatalf("set up: %d %s", code, body)
	}
	for range 2 { // something far was asked, and refused
		select {
		case <-asked:
		case <-t.Context().Done():
			t.Fatal("nothing far was asked")
		}
	}
	seen := map[string]string{}
	for _, route := range access.Routes() {
		if route.Method != http.MethodGet || route.Kind == access.KindStream {
			continue
		}
		path := wildcard.ReplaceAllString(strings.TrimSuffix(route.Pattern, "{$}"), "none")
		_, body, to := v.ask(http.MethodGet, path, nil)
		seen[route.Name()] = body + to
	}
	seen["the audit log"] = strings.Join(app.AuditTrail(t, w.App), "\n")
	seen["the log"], seen["the output"] = w.logs.String(), w.output.String()
	err := filepath.WalkDir(cfg.DataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		seen[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range seen {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("the secret %q stands in %s", s, where)
			}
		}
	}
	if !strings.Contains(seen["the log"], "refused") && !strings.Contains(seen["the log"], "403") {
		t.Errorf("nothing is said of what was refused:\n%s", seen["the log"])
	}
}
