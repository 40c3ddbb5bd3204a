package config_test

import (
	"strings"
	"testing"

	"vigil/internal/config"
)

// What is wrong with a way into a database is told with its field and a remedy, and
// without the password.
func TestDatabaseWaysAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ way, want string }{
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id}`, ""},
		{`sql: {url: "mysql://u:canary@h/db", query: "SELECT * FROM a WHERE id >= :cursor", cursor: id, driver: mysql, timezone: Europe/Berlin}`, ""},
		{`sql: {table: a, cursor: id}`, "sources[0].sql.url"},
		{`sql: {url: "oracle://u:canary@h/db", table: a, cursor: id}`, "neither postgres"},
		{`sql: {url: "postgres://u:canary%zz@h/db", table: a, cursor: id}`, "can't be read"},
		{`sql: {url: "postgres://h/db", table: a, cursor: id}`, "no user"},
		{`sql: {url: "postgres://u:canary@h/db", cursor: id}`, "sql.table"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, query: "SELECT 1", cursor: id}`, "stands beside table"},
		{`sql: {url: "postgres://u:canary@h/db", query: "SELECT 1", cursor: id}`, "does not use the cursor"},
		{`sql: {url: "postgres://u:canary@h/db", table: a}`, "sql.cursor"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id, driver: mysql}`, "not what url begins with"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id, timezone: Mars}`, "no time zone"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id, batch: 20000}`, "10,000"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id, poll: 2h}`, "sql.poll"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id, settle: 2d}`, "sql.settle"},
		{`sql: {url: "postgres://u:canary@h/db", table: a, cursor: id, tls: {cert: x}}`, "tls.key"},
		{`redis: {url: "rediss://u:canary@h:6379"}`, ""},
		{`redis: {url: "redis://u:canary@127.0.0.1:6379"}`, ""},
		{`redis: {url: "redis://u:canary@h:6379"}`, "in the clear"},
		{`redis: {url: "rediss://u:canary@h:6379", tls: {ca: /x}}`, ""},
		{`redis: {}`, "redis.url"},
		{`redis: {url: "http://u:canary@h:6379"}`, "neither redis"},
		{`redis: {url: "redis://u:canary%zz@h"}`, "can't be read"},
		{`redis: {url: "redis://u:canary@localhost:6379", tls: {ca: /x}}`, "begin with rediss"},
	} {
		_, err := config.Parse("vigil.yaml", []byte("data_dir: /x\nsources:\n  - name: a\n    "+c.way+"\n"), known())
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.way, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.way, err, c.want)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("the password is told: %v", err)
		}
	}
}
