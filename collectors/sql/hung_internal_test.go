package sqltable

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A server that hangs in the middle of a run does not hold it up for ever: the run ends
// with an error, and the next one connects anew.
func TestNoStatementIsWaitedForForEver(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(ctx context.Context, p *postgres) error{
		"begin":   func(ctx context.Context, p *postgres) error { return p.begin(ctx) },
		"end":     func(ctx context.Context, p *postgres) error { return p.end(ctx) },
		"columns": func(ctx context.Context, p *postgres) error { _, err := p.columns(ctx, "audit"); return err },
		"query":   func(ctx context.Context, p *postgres) error { return p.query(ctx, "SELECT 1", nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0") // nobody ever takes what it is asked
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			cfg, err := pgconn.ParseConfig("postgres://localhost/")
			if err != nil {
				t.Fatal(err)
			}
			pg, err := pgconn.Construct(&pgconn.HijackedConn{Config: cfg, Conn: conn, Frontend: pgproto3.NewFrontend(conn, conn), TxStatus: 'I'})
			if err != nil {
				t.Fatal(err)
			}
			if err := do(t.Context(), &postgres{conn: pg, most: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
}
