package config_test

import (
	"errors"
	"strings"
	"testing"

	"vigil/internal/config"
)

// pulled is a configuration with one source that asks an API.
func pulled(way, body string) []byte {
	return []byte("data_dir: /tmp/x\nsources:\n  - name: a\n    " + way + ":\n      " + strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n      ") + "\n")
}

func TestPulledSources(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ way, body, field, message string }{
		{way: "zendesk", body: "url: https://acme.zendesk.com\nclient_id: a\nclient_secret: b"},
		{way: "zendesk", body: "url: http://127.0.0.1:1\ntoken: b\nemail: a@example.com\nlogs: [audit]\npoll: 30s\noverlap: 1h\nstart: 30d\nallow_private: true"},
		{way: "zendesk", body: "client_id: a\nclient_secret: b", field: "zendesk.url", message: "is missing"},
		{way: "zendesk", body: "url: http://acme.zendesk.com\ntoken: b", field: "zendesk.url", message: "must begin with https"},
		{way: "zendesk", body: "url: acme\ntoken: b", field: "zendesk.url", message: "no https address"},
		{way: "zendesk", body: "url: https://a:b@acme.zendesk.com\ntoken: b", field: "zendesk.url", message: "holds a user"},
		{way: "zendesk", body: "url: https://acme.zendesk.com/api/v2\ntoken: b", field: "zendesk.url", message: "behind the host"},
		{way: "zendesk", body: "url: https://acme.zendesk.com", field: "zendesk.client_id", message: "is missing"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\nclient_id: a", field: "zendesk.client_secret", message: "is missing"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\nclient_id: a\ntoken: b", field: "zendesk.token", message: "beside client_id"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\ntoken: env:NOT_THERE", field: "zendesk.token", message: "NOT_THERE"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\nclient_id: a\nclient_secret: b\nemail: x", field: "zendesk.email", message: "API token"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\ntoken: b\nlogs: [access, chat]", field: "zendesk.logs[1]", message: "no log"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\ntoken: b\nlogs: [access, access]", field: "zendesk.logs[1]", message: "twice"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\ntoken: b\npoll: 1s", field: "zendesk.poll", message: "outside 5s to 1d"},
		{way: "zendesk", body: "url: https://acme.zendesk.com\ntoken: b\noverlap: 30d", field: "zendesk.overlap", message: "outside"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nclient_secret: b\nevents: [API]\ninterval: daily"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nprivate_key: b\nusername: c\naudience: https://test.salesforce.com"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_secret: b", field: "salesforce.client_id", message: "is missing"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a", field: "salesforce.client_secret", message: "is missing"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nprivate_key: b", field: "salesforce.username", message: "is missing"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nprivate_key: b\nclient_secret: c", field: "salesforce.private_key", message: "beside"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nclient_secret: c\ninterval: weekly", field: "salesforce.interval", message: "no interval"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nclient_secret: c\nevents: [\"A' OR\"]", field: "salesforce.events[0]", message: "no type"},
		{way: "salesforce", body: "url: https://acme.my.salesforce.com\nclient_id: a\nclient_secret: c\naudience: x", field: "salesforce.audience", message: "no https address"},
		{way: "intercom", body: "token: a"},
		{way: "intercom", body: "url: https://api.eu.intercom.io\ntoken: a"},
		{way: "intercom", body: "url: https://api.eu.intercom.io", field: "intercom.token", message: "is missing"},
		{way: "okta", body: "url: https://acme.okta.com\ntoken: a"},
		{way: "okta", body: "url: https://acme.okta.com\nclient_id: a\nprivate_key: b\nkey_id: c"},
		{way: "okta", body: "url: https://acme.okta.com", field: "okta.client_id", message: "is missing"},
		{way: "okta", body: "url: https://acme.okta.com\nclient_id: a", field: "okta.private_key", message: "is missing"},
		{way: "okta", body: "url: https://acme.okta.com\nclient_id: a\nprivate_key: b\ntoken: c", field: "okta.token", message: "beside client_id"},
		{way: "okta", body: "url: https://acme.okta.com\ntoken: a\nscope: x", field: "okta.scope", message: "unknown"},
	} {
		_, err := config.Parse("vigil.yaml", pulled(test.way, test.body), known())
		var wrong *config.Error
		switch {
		case test.field == "" && err != nil:
			t.Errorf("%s\n%v", test.body, err)
		case test.field == "":
		case !errors.As(err, &wrong) || len(wrong.Problems) != 1:
			t.Errorf("%s\n%v, want one problem", test.body, err)
		case !strings.HasSuffix(wrong.Problems[0].Field, test.field) || !strings.Contains(wrong.Problems[0].Message, test.message):
			t.Errorf("%s\n%+v, want %s: %s", test.body, wrong.Problems[0], test.field, test.message)
		}
	}
}
