package app_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts/slack"
	"vigil/alerts/slack/slacktest"
	"vigil/internal/access"
	"vigil/internal/app"
	"vigil/internal/config"
)

// What is pressed is answered over HTTP alone, where there is no app token: that one is
// missing is no trouble.
func TestPressedOverHTTPAlone(t *testing.T) {
	t.Parallel()
	const signing = "a-signing-secret-for-tests"
	server := httptest.NewServer(slacktest.New(slackToken))
	t.Cleanup(server.Close)
	cfg := configure(t, filepath.Join(t.TempDir(), "data"))
	cfg.Slack = config.Slack{Token: config.NewSecret(slackToken), Channel: slacktest.Channel, SigningSecret: config.NewSecret(signing), APIURL: server.URL + "/api", NoPictures: true}
	cfg.Users = []config.User{{Name: "ann", Roles: []access.Role{access.RoleAnalyst}, Slack: "U0ANN"}}
	w := begin(t, cfg, app.Options{})
	app.Find(t, w.App, decoy(1, vigil.SeverityCritical))
	until(t, "a case", func() bool { return len(app.Cases(t, w.App)) == 1 })
	c := app.Cases(t, w.App)[0]
	p := slacktest.Press{User: "U0ANN", Action: slack.ActionAcknowledge, Value: c.ID, Block: slack.BlockOf(&c), Message: "1.2"}
	r, err := p.Request(w.URL()+"/slack/actions", signing, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	res, err := testClient.Do(r.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the press is answered %d", res.StatusCode)
	}
	until(t, "the case is acknowledged", func() bool { return app.Case(t, w.App, c.ID).State == vigil.CaseAcknowledged })
	w.end()
	if strings.Contains(w.logs.String(), "is not answered") {
		t.Errorf("a trouble is told that is none:\n%s", w.logs.String())
	}
}
