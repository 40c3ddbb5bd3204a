package sqltable_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	sqltable "vigil/collectors/sql"
)

// What is wrong is told with what mends it, and without the password.
func TestErrorsTellTheRemedy(t *testing.T) {
	t.Parallel()
	s := startPostgres(t)
	p := newPeer(t, s, nil)
	s.exec(t, p.db, `CREATE ROLE vigil LOGIN PASSWORD 'canary-1'`, `CREATE ROLE "may write" LOGIN PASSWORD 'canary-1'`, `GRANT SELECT, DELETE ON audit TO "may write"`,
		`CREATE TABLE "Odd ""name" ("Id" bigint PRIMARY KEY, n numeric)`)
	at := "@127.0.0.1:" + s.port + "/" + p.db
	for _, c := range []struct {
		name   string
		change func(*sqltable.Config)
		want   string
		// run says that Run fails too.
		run bool
	}{
		{"password", func(c *sqltable.Config) { c.URL = "postgres://vigil:canary-2" + at }, "check url", true},
		{"no right", func(c *sqltable.Config) { c.URL = "postgres://vigil:canary-1" + at }, `GRANT SELECT ON "audit" TO "vigil"`, true},
		{"may write", func(c *sqltable.Config) { c.URL = "postgres://may%20write:canary-1" + at }, `REVOKE DELETE ON "audit" FROM "may write"`, false},
		{"no table", func(c *sqltable.Config) { c.Table = `x"; DROP TABLE audit; --` }, "no such table", true},
		{"no column", func(c *sqltable.Config) { c.Columns = []string{"x\" FROM pg_authid; --"} }, "there is no column", true},
		{"no cursor", func(c *sqltable.Config) { c.Cursor = "x" }, "there is no column", true},
		{"binary cursor", func(c *sqltable.Config) { c.Cursor = "note" }, "must be a whole number", true},
		{"a write in a query", func(c *sqltable.Config) {
			c.Table, c.Query, c.Columns = "", "WITH d AS (DELETE FROM audit RETURNING *) SELECT * FROM d WHERE id >= :cursor", nil
		}, "does not understand", true},
		{"no server", func(c *sqltable.Config) { c.URL = "postgres://vigil:canary-1@127.0.0.1:1/x" }, "connect to PostgreSQL", true},
	} {
		cfg := p.cfg
		c.change(&cfg)
		var logs bytes.Buffer
		table, err := sqltable.New(cfg, sqltable.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		errs := []error{table.Check(t.Context())}
		if c.run {
			errs = append(errs, table.Run(t.Context(), nil, oracle()))
		}
		for _, err := range errs {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error()+logs.String(), "canary") {
				t.Errorf("%s: %v %s", c.name, err, logs.String())
			}
		}
	}
	s.exec(t, p.db, "GRANT SELECT ON audit TO vigil", `GRANT SELECT ON "Odd ""name" TO vigil`)
	for _, name := range []string{"audit", `Odd "name`} {
		cfg := p.cfg
		cfg.URL, cfg.Table, cfg.Columns = "postgres://vigil:canary-1"+at, name, nil
		if name != "audit" {
			cfg.Cursor = "Id"
		}
		table, err := sqltable.New(cfg, sqltable.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := table.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"postgres://u:canary@h/d?sslmode=prefer", "postgres://u:canary@%zz/d", "http://u:canary@h/d", "postgres://u:canary@h/d?sslrootcert=x", "mysql://u:canary@h/d?allowAllFiles=true", "postgres://h/d"} {
		if err := sqltable.CheckURL(bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{"DELETE FROM a WHERE id >= :cursor", "SELECT 1", "SELECT * FROM a WHERE id > :cursor", "SELECT * FROM a WHERE id >= :cursor AND x = :cursor", "SELECT * FROM a WHERE id >= :cursor; DROP TABLE a"} {
		if err := sqltable.CheckRead("", bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// What people wrote is in no event, position or record set aside; values of all types come
// in the form that formats read.
func TestValuesAndNoContent(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-a-customer"
	for _, start := range []func(testing.TB) *server{startPostgres, startMaria} {
		s := start(t)
		p := newPeer(t, s, nil)
		p.cfg.Batch = 2
		at := "2026-11-02T10:00:00.123456+01:00"
		if s.mysql {
			s.exec(t, p.db, "ALTER TABLE audit MODIFY time timestamp(6) NOT NULL", "ALTER TABLE audit ADD tags text",
				`INSERT INTO audit (time, actor, action, subjects, resource, body, note) VALUES ('2026-11-02 09:00:00.123456', 'ann ä😀', 'read', '["c1","c,2"]', 'x', '`+canary+`', '`+canary+`')`,
				`INSERT INTO audit (time, actor, action, subjects, resource, body) VALUES ('2026-11-02 09:00:00.123456', REPEAT('x', 60000), 'nothing', '["c3"]', 'x', '`+canary+`')`)
		} else {
			s.exec(t, p.db, "ALTER TABLE audit ALTER time TYPE timestamptz USING time::timestamptz", "ALTER TABLE audit ADD rows numeric DEFAULT 12, ADD ip inet DEFAULT '192.0.2.7'",
				`INSERT INTO audit (time, actor, action, subjects, resource, body, note) VALUES ('`+at+`', 'ann ä😀', 'read', '{c1,"c,2"}', 'x', '`+canary+`', '`+canary+`')`,
				`INSERT INTO audit (time, actor, action, subjects, resource, body) VALUES ('`+at+`', repeat('x', 100000), 'nothing', '{c3}', 'x', '`+canary+`')`)
			p.cfg.Columns = append(p.cfg.Columns, "rows", "ip")
		}
		var kept []byte
		var events []*vigil.Event
		got := make(chan int, 100)
		sink := collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
			text, err := json.Marshal(b)
			kept = append(append(kept, text...), b.Position...)
			events = append(events, b.Events...)
			got <- len(b.Events) + len(b.Quarantined)
			return err
		})
		r := run(t, p.cfg, nil, nil, sink)
		for n := 0; n < 2; {
			select {
			case k := <-got:
				n += k
			case <-time.After(time.Minute):
				t.Fatal("waited in vain")
			}
		}
		r.stop(t)
		if bytes.Contains(kept, []byte(canary)) {
			t.Errorf("what was written is kept: %s", kept)
		}
		if len(events) != 1 {
			t.Fatalf("%d events: %s", len(events), kept)
		}
		e := events[0]
		want, _ := time.Parse(time.RFC3339Nano, at)
		if !e.Time.Equal(want) || e.Actor.ID != "ann ä😀" || len(e.Subjects) != 2 || e.Subjects[1] != "c,2" {
			t.Errorf("it came as %+v", e)
		}
		if !s.mysql && (e.Rows != 12 || e.IP != "192.0.2.7") {
			t.Errorf("it came as %+v", e)
		}
	}
}

// BenchmarkRows measures rows from a real PostgreSQL to the sink.
func BenchmarkRows(b *testing.B) {
	s := startPostgres(b)
	p := newPeer(b, s, nil)
	p.cfg.Batch = 1000
	const rows = 100_000
	s.exec(b, p.db, "INSERT INTO audit (time, actor, action, subjects, resource) SELECT '2026-11-02T09:00:00Z', 'agent-' || i % 7, 'read', ARRAY['c' || i], 'conversations' FROM generate_series(1, 100000) i")
	for _, c := range []struct {
		name   string
		cursor string
	}{{"numbers", "id"}, {"times", "at"}} {
		b.Run(c.name, func(b *testing.B) {
			cfg := p.cfg
			cfg.Cursor = c.cursor
			for range b.N {
				enough := errors.New("enough")
				n := 0
				table, err := sqltable.New(cfg, sqltable.Options{})
				if err != nil {
					b.Fatal(err)
				}
				err = table.Run(b.Context(), nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
					if n += len(batch.Events); n >= rows {
						return enough
					}
					return nil
				}))
				if !errors.Is(err, enough) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
