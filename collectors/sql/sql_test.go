package sqltable_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	sqltable "vigil/collectors/sql"
)

func decoding() decode.Config {
	return decode.Config{Source: "audit", Formats: catalog.All(), Format: "native"}
}

// config reads the table audit of a database.
func config(s *server, db string) sqltable.Config {
	return sqltable.Config{
		Decode: decoding(), URL: s.collectURL(db), Table: "audit", Cursor: "id", Columns: []string{"time", "actor", "action", "subjects", "resource"},
		Poll: 20 * time.Millisecond, Settle: time.Minute, Batch: 150,
	}
}

const postgresTable = `CREATE TABLE audit (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), time text, actor text, action text,
	subjects text[], resource text, note bytea DEFAULT '\x00ff', "body" text DEFAULT 'what was said'); CREATE INDEX ON audit (at)`

const mariaTable = `CREATE TABLE audit (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), time text, actor text,
	action text, subjects text, resource text, note blob, body text DEFAULT 'what was said', KEY (at))`

// peer is a table that is written to.
type peer struct {
	s   *server
	db  string
	cfg sqltable.Config
}

func newPeer(t testing.TB, s *server, change func(*sqltable.Config)) *peer {
	t.Helper()
	p := &peer{s: s, db: s.database(t)}
	s.exec(t, p.db, map[bool]string{true: mariaTable, false: postgresTable}[s.mysql])
	p.cfg = config(s, p.db)
	if s.mysql {
		p.cfg.JSON = []string{"subjects"}
	}
	if change != nil {
		change(&p.cfg)
	}
	return p
}

// insert is a statement that writes records.
func insert(mysql bool, rs ...collectorstest.Record) string {
	var values []string
	for _, r := range rs {
		at := r.Time.UTC().Format(time.RFC3339Nano)
		if r.Poison {
			at = "no time"
		}
		subjects := fmt.Sprintf("'c%d'", r.N)
		if !mysql {
			subjects = "ARRAY[" + subjects + "]"
		} else {
			subjects = fmt.Sprintf(`'["c%d"]'`, r.N)
		}
		values = append(values, fmt.Sprintf("('%s', 'agent-%d', 'read', %s, 'conversations')", at, r.N%7, subjects))
	}
	return "INSERT INTO audit (time, actor, action, subjects, resource) VALUES " + strings.Join(values, ", ")
}

func (p *peer) Write(ctx context.Context, rs ...collectorstest.Record) error {
	return p.s.try(ctx, p.db, insert(p.s.mysql, rs...))
}

func (p *peer) Collector() (collectors.Collector, error) {
	return sqltable.New(p.cfg, sqltable.Options{})
}

// breakable is a peer with a server of its own.
type breakable struct{ *peer }

func (b breakable) Down(context.Context) error   { return b.s.kill() }
func (b breakable) Up(ctx context.Context) error { return b.s.run(ctx) }

func way(start func(testing.TB) *server, change func(*sqltable.Config)) func(t *testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		shared := start(t)
		collectorstest.Run(t, collectorstest.Way{Source: "audit", Peer: func(t *testing.T) collectorstest.Peer {
			if strings.HasSuffix(t.Name(), "gone_and_back") {
				return breakable{newPeer(t, start(t), change)}
			}
			return newPeer(t, shared, change)
		}})
	}
}

func byTime(c *sqltable.Config) { c.Cursor = "at" }

func TestSuite(t *testing.T) {
	t.Parallel()
	t.Run("postgres, numbers", way(startPostgres, nil))
	t.Run("postgres, times", way(startPostgres, byTime))
	t.Run("postgres, sparse", way(startPostgres, func(c *sqltable.Config) { c.Sparse = true }))
	t.Run("postgres, query", way(startPostgres, func(c *sqltable.Config) {
		c.Table, c.Query, c.Columns = "", "SELECT a.id, a.time, a.actor, 'read' AS action, a.subjects FROM audit a WHERE a.id >= :cursor AND a.id::int >= 0", nil
	}))
	t.Run("mariadb, numbers", way(startMaria, nil))
	t.Run("mariadb, times", way(startMaria, byTime))
}
