package app

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"vigil/internal/config"
)

// TestPulledSourcesAreMade makes the collector of each way that asks an API, which can be
// checked.
func TestPulledSourcesAreMade(t *testing.T) {
	t.Parallel()
	for _, s := range []config.Source{
		{Name: "a", Zendesk: &config.Zendesk{URL: "https://acme.zendesk.com", ClientID: "x", ClientSecret: config.NewSecret("canary")}},
		{Name: "b", Salesforce: &config.Salesforce{URL: "https://acme.my.salesforce.com", ClientID: "x", ClientSecret: config.NewSecret("canary")}, Format: "salesforce", Params: map[string]string{"vendors": "y"}},
		{Name: "c", Intercom: &config.Intercom{Token: config.NewSecret("canary")}},
		{Name: "d", Okta: &config.Okta{URL: "https://acme.okta.com", Token: config.NewSecret("canary")}},
	} {
		c, err := collectorOf(&s, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Errorf("%s: %v", s.Way(), err)
			continue
		}
		if _, ok := c.(interface{ Check(context.Context) error }); !ok {
			t.Errorf("%s can't be checked", s.Way())
		}
	}
	for _, s := range []config.Source{
		{Name: "a", Zendesk: &config.Zendesk{URL: "https://acme.zendesk.com", Token: config.NewSecret("env:VIGIL_TEST_NOT_THERE")}},
		{Name: "b", Salesforce: &config.Salesforce{URL: "https://acme.my.salesforce.com", ClientID: "x", PrivateKey: config.NewSecret("canary"), Username: "y"}},
		{Name: "d", Okta: &config.Okta{URL: "https://acme.okta.com", ClientID: "x", PrivateKey: config.NewSecret("canary")}},
	} {
		if _, err := collectorOf(&s, slog.New(slog.DiscardHandler)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", s.Way(), err)
		}
	}
}
