package config_test

import (
	"strings"
	"testing"

	"vigil/internal/config"
)

func TestSyslogIsChecked(t *testing.T) {
	t.Parallel()
	head := "data_dir: /var/lib/vigil\nsources:\n  - name: logs\n    syslog: "
	for _, good := range []string{
		`{listen: "127.0.0.1:1514"}`,
		`{listen: "0.0.0.0:1514", transport: udp, from: [10.0.0.0/8], max_connections: 9, idle_timeout: 1h}`,
		`{listen: ":6514", transport: tls, tls: {cert: /a, key: /b, client_ca: /c, client_names: ["*.example.org"]}}`,
		`{listen: ":2514", transport: relp, from: ["::/0"], tls: {cert: /a, key: /b}}`,
	} {
		if _, err := config.Parse("vigil.yaml", []byte(head+good), known()); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		`{}`:                       "syslog.listen",
		`{listen: "1514"}`:         "syslog.listen",
		`{listen: "0.0.0.0:1514"}`: "syslog.from",
		`{listen: ":6514", transport: tls, tls: {cert: /a, key: /b}}`:                             "syslog.from",
		`{listen: "127.0.0.1:1514", transport: smoke}`:                                            "syslog.transport",
		`{listen: "127.0.0.1:1514", transport: tls}`:                                              "syslog.tls",
		`{listen: "127.0.0.1:1514", tls: {cert: /a, key: /b}}`:                                    "syslog.tls",
		`{listen: "127.0.0.1:1514", transport: tls, tls: {cert: /a}}`:                             "syslog.tls.key",
		`{listen: "127.0.0.1:1514", transport: tls, tls: {cert: /a, key: /b, client_names: [x]}}`: "syslog.tls.client_ca",
		`{listen: "127.0.0.1:1514", from: [10.0.0.1]}`:                                            "syslog.from[0]",
		`{listen: "127.0.0.1:1514", max_connections: 5000}`:                                       "syslog.max_connections",
		`{listen: "127.0.0.1:1514", idle_timeout: 5ms}`:                                           "syslog.idle_timeout",
		`{listen: "127.0.0.1:1514", colour: red}`:                                                 "colour",
	} {
		_, err := config.Parse("vigil.yaml", []byte(head+bad), known())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", bad, err, want)
		}
	}
}
