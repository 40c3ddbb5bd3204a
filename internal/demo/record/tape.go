package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// statement is one thing that a client asks of the store.
type statement struct {
	// sql with $1.. for args; or, with literal, text without parameters that is
	// sent in the simple protocol, as psql and many scripts do.
	sql     string
	args    []any
	literal bool
	// unprepared sends parameters without a named statement: the text differs at
	// each call, so keeping it would not pay.
	unprepared bool
	// copyOut takes the result as a COPY stream.
	copyOut bool
	// refused says that the store is expected to answer with an error.
	refused bool
	// wantID is the id that an INSERT ... RETURNING id must give; zero for none.
	wantID int64
}

// login is who connects, with which program, from where.
type login struct {
	user, app, addr string
	// wrongPassword makes the attempt fail.
	wrongPassword bool
}

// tape is where the simulation's statements go: a real server, or nowhere.
// Calls come one after another, in the order of simulated time.
type tape interface {
	connect(ctx context.Context, t time.Time, l login) (session, error)
}

// session is one client's connection.
type session interface {
	// do runs one statement and returns the rows returned or affected.
	do(ctx context.Context, t time.Time, s statement) (int64, error)
	close(ctx context.Context, t time.Time) error
}

// step says that the log up to byte end (exclusive, from the step before) was
// written by what happened at sim; real is when it began.
type step struct {
	end       int64
	sim, real time.Time
}

// serverTape runs statements on the server and notes, by the log's length after
// each of them, which lines came of which. A server process writes its lines
// before it answers, so the length settles who wrote what.
type serverTape struct {
	log        *os.File
	steps      []step
	statements int64
	progress   func(sim time.Time)
}

// note runs f as one step at simulated time t.
func (p *serverTape) note(t time.Time, f func() error) error {
	began := time.Now()
	if n := len(p.steps); n > 0 {
		// A step takes as long as it really took; the next one waits for it.
		last := p.steps[n-1]
		if free := last.sim.Add(began.Sub(last.real)); t.Before(free) {
			if limit := last.sim.Add(time.Second); free.After(limit) {
				free = limit
			}
			if t.Before(free) {
				t = free
			}
		}
	}
	err := f()
	info, serr := p.log.Stat()
	if serr != nil {
		return errors.Join(err, fmt.Errorf("measure the log: %w", serr))
	}
	p.steps = append(p.steps, step{end: info.Size(), sim: t, real: began})
	if p.progress != nil {
		p.progress(t)
	}
	return err
}

// dial opens a connection that comes from addr.
func dial(ctx context.Context, user, pw, app, addr, database string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", serverAddr, serverPort, user, database))
	if err != nil {
		return nil, fmt.Errorf("describe the connection: %w", err)
	}
	cfg.Password = pw
	cfg.RuntimeParams = map[string]string{}
	if app != "" {
		cfg.RuntimeParams["application_name"] = app
	}
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}, Timeout: 10 * time.Second}
	cfg.DialFunc = d.DialContext
	return pgx.ConnectConfig(ctx, cfg)
}

func (p *serverTape) connect(ctx context.Context, t time.Time, l login) (session, error) {
	s := &serverSession{tape: p, user: l.user}
	err := p.note(t, func() error {
		pw := password
		if l.wrongPassword {
			pw = "caps lock"
		}
		c, err := dial(ctx, l.user, pw, l.app, l.addr, "helpdesk")
		s.conn = c
		return err
	})
	switch {
	case l.wrongPassword && err == nil:
		return nil, fmt.Errorf("%q got in with a wrong password", l.user)
	case l.wrongPassword:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("connect as %q: %w", l.user, err)
	}
	return s, nil
}

type serverSession struct {
	tape *serverTape
	conn *pgx.Conn
	user string
}

func (s *serverSession) do(ctx context.Context, t time.Time, st statement) (int64, error) {
	var rows int64
	err := s.tape.note(t, func() error {
		s.tape.statements++
		var err error
		if st.copyOut {
			var tag pgconn.CommandTag
			tag, err = s.conn.PgConn().CopyTo(ctx, io.Discard, st.sql)
			rows = tag.RowsAffected()
			return err
		}
		rows, err = s.query(ctx, st)
		return err
	})
	if st.refused {
		if pe := new(pgconn.PgError); !errors.As(err, &pe) {
			return 0, fmt.Errorf("%q: %q was to be refused: %w", s.user, st.sql, cmp.Or(err, errors.New("it was answered")))
		}
		return 0, nil
	}
	if err != nil {
		return rows, fmt.Errorf("%q: %q: %w", s.user, st.sql, err)
	}
	return rows, nil
}

// query runs s and reads all of its rows.
func (s *serverSession) query(ctx context.Context, st statement) (int64, error) {
	mode := pgx.QueryExecModeCacheStatement
	switch {
	case st.literal:
		mode = pgx.QueryExecModeSimpleProtocol
	case st.unprepared:
		mode = pgx.QueryExecModeExec
	}
	rows, err := s.conn.Query(ctx, st.sql, append([]any{mode}, st.args...)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if st.wantID == 0 {
			continue
		}
		var id int64
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		if id != st.wantID {
			return 0, fmt.Errorf("the store gave id %d, the simulation expected %d", id, st.wantID)
		}
	}
	rows.Close()
	return rows.CommandTag().RowsAffected(), rows.Err()
}

func (s *serverSession) close(ctx context.Context, t time.Time) error {
	return s.tape.note(t, func() error {
		// Close waits until the server has hung up, which it does after its last line.
		if err := s.conn.Close(ctx); err != nil {
			return fmt.Errorf("disconnect %q: %w", s.user, err)
		}
		return nil
	})
}
