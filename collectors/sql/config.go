// Package sqltable reads an audit table as it grows: new rows of PostgreSQL, MySQL and
// MariaDB become records of a format, each a JSON object {column: value}.
//
// One goroutine polls over one connection, in read-only transactions that are over
// before the rows are handed on. The database keeps the rows, so that nothing must be
// acknowledged: the position (the cursor, the gaps below it, and which table it was) is
// committed with the events.
//
// Rows do not become visible in the order of their cursor: one that was numbered first may
// be committed last. So what lies behind the cursor is looked at again:
//
//   - Numbers (see gaps.go): those missing below the highest are asked for until they
//     appear or are given up, when they were missing for Settle and, in PostgreSQL, each
//     transaction that ran when they were first missed has ended. At most maxGaps are
//     remembered; beyond, those next to each other are taken together, and rows between
//     them are read again. A missing run of at least maxHole numbers is told as a hole.
//   - Times, UUIDs, texts and sparse numbers (see window.go): all rows from the point that
//     was the end Settle ago are read at each poll, and those that were seen before are
//     passed over. At most maxWindow rows are looked at again.
//
// A row that is read again after a restart has the id that it had, and counts once.
// Texts longer than maxText characters are cut by the database, binary columns are never
// asked for, and a batch holds at most Batch rows.
package sqltable

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"vigil/collectors/decode"
)

// The defaults of Config.
const (
	defaultPoll   = 10 * time.Second
	defaultSettle = 10 * time.Minute
	defaultBatch  = 1000
	maxBatch      = 10_000
)

// Config says which table is read and how.
type Config struct {
	// Decode says how a row, as a JSON object, is read. Required.
	Decode decode.Config
	// URL is the database's address with user and password: postgres://user:pw@host/db or
	// mysql://user:pw@host/db. Required.
	URL string
	// Table is the table or view, with its schema where it is not found without. Either
	// it or Query is required.
	Table string
	// Query is a SELECT that takes the place of a table. It must hold ">= :cursor", by
	// which the rows before are left out.
	Query string
	// Cursor is the column by which new rows are known: a number that rises, a time, a
	// time-ordered UUID. Required; it should have an index.
	Cursor string
	// Columns are those that are read; Cursor and the primary key always are. Empty reads
	// all but binary ones.
	Columns []string
	// JSON are text columns that hold JSON, as all of that type do in MariaDB: their values
	// become part of the record as they are.
	JSON []string
	// Sparse says that Cursor's numbers are not given one by one (Snowflake ids).
	Sparse bool
	// Timezone is where times without a zone are meant; nil means UTC.
	Timezone *time.Location
	// Poll is how long to wait when there is nothing new; zero means 10 s.
	Poll time.Duration
	// Settle is how long a row may take from its number or time to its commit; zero means
	// 10 minutes.
	Settle time.Duration
	// Batch is how many rows are read at once, at most 10,000; zero means 1000.
	Batch int
	// TLS says whom to trust; nil trusts whom this machine trusts. TLS is used but for
	// servers on this machine, unless URL says sslmode=disable (MySQL: tls=false).
	TLS *tls.Config
}

// Options are what code passes.
type Options struct {
	// Logger gets what an operator should know; nil means none does.
	Logger *slog.Logger
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Table reads one table; it is a [collectors.Collector].
type Table struct {
	cfg    Config
	target target
	log    *slog.Logger
	now    func() time.Time
}

// New makes a collector. The error names the setting that is wrong, and holds no secret.
func New(cfg Config, opts Options) (*Table, error) {
	if err := cfg.Decode.Check(); err != nil {
		return nil, err
	}
	to, err := parseURL(cfg.URL, cfg.TLS)
	if err != nil {
		return nil, err
	}
	if err := CheckRead(cfg.Table, cfg.Query); err != nil {
		return nil, err
	}
	if cfg.Cursor == "" {
		return nil, errors.New("cursor: names no column; name the one by which new rows are known, such as id")
	}
	if cfg.Poll <= 0 {
		cfg.Poll = defaultPoll
	}
	if cfg.Settle <= 0 {
		cfg.Settle = defaultSettle
	}
	if cfg.Batch <= 0 {
		cfg.Batch = defaultBatch
	}
	cfg.Batch = min(cfg.Batch, maxBatch)
	if cfg.Timezone == nil {
		cfg.Timezone = time.UTC
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Table{cfg: cfg, target: to, log: opts.Logger, now: opts.Now}, nil
}

// name is the name of the stream, which is in the ids of events.
func (t *Table) name() string {
	if t.cfg.Table != "" {
		return t.cfg.Table
	}
	return "query"
}

var (
	selects = regexp.MustCompile(`(?is)^\s*(?:select|with)\b`)
	// cursorAt finds the placeholder, and not a cast (::cursor).
	cursorAt   = regexp.MustCompile(`(^|[^:\w]):cursor\b`)
	cursorFrom = regexp.MustCompile(`>=\s*:cursor\b`)
)

// CheckRead says what is wrong with a table or a query, of which there must be one. The
// error begins with the name of the setting.
func CheckRead(table, query string) error {
	switch {
	case table == "" && query == "":
		return errors.New("table: is missing; name the table, or give a query")
	case table != "" && query != "":
		return errors.New("query: stands beside table; give one of the two")
	case query == "":
		if parts := strings.Split(table, "."); len(parts) > 3 || strings.Contains("."+table+".", "..") || strings.ContainsRune(table, 0) {
			return fmt.Errorf("table: %q is no table's name; write table or schema.table", table)
		}
		return nil
	case !selects.MatchString(query):
		return errors.New("query: is no SELECT; it must begin with SELECT or WITH")
	case !cursorFrom.MatchString(query):
		return errors.New(`query: does not use the cursor; it must hold ">= :cursor", such as: SELECT ... FROM a JOIN b ... WHERE a.id >= :cursor`)
	case len(cursorAt.FindAllString(query, -1)) != len(cursorFrom.FindAllString(query, -1)):
		return errors.New(`query: uses :cursor otherwise than as ">= :cursor"; rows that share the last value would be lost`)
	case strings.Contains(query, ";"):
		return errors.New("query: holds a semicolon; give one SELECT without an end")
	}
	return nil
}

// target is where a database is.
type target struct {
	mysql                          bool
	host, port, user, pass, dbname string
	tls                            *tls.Config
	// options are PostgreSQL's other settings of a connection.
	options map[string]string
}

// CheckURL says what is wrong with a database's address. The error holds nothing of it.
func CheckURL(text string) error {
	_, err := parseURL(text, nil)
	return err
}

// parseURL reads the address. Errors must hold nothing of it: it has the password.
func parseURL(text string, trust *tls.Config) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, errors.New("url: can't be read; write postgres://user:password@host:5432/database, with special characters of the password as %xx")
	}
	to := target{host: u.Hostname(), port: u.Port(), user: u.User.Username(), dbname: strings.TrimPrefix(u.Path, "/"), options: map[string]string{}}
	to.pass, _ = u.User.Password()
	plain := "sslmode"
	switch u.Scheme {
	case "postgres", "postgresql":
		if to.port == "" {
			to.port = "5432"
		}
	case "mysql", "mariadb":
		to.mysql, plain = true, "tls"
		if to.port == "" {
			to.port = "3306"
		}
	default:
		return target{}, errors.New("url: begins with neither postgres:// nor mysql://")
	}
	if to.dbname == "" || to.user == "" {
		return target{}, errors.New("url: names no user or no database; write postgres://user:password@host:5432/database")
	}
	secure := !thisMachine(to.host)
	for key, values := range u.Query() {
		switch {
		case key == plain || key == "host" && !to.mysql || key == "socket" && to.mysql:
		case to.mysql:
			return target{}, fmt.Errorf("url: the setting %q is not known; tls and socket are", key)
		case key == "sslrootcert" || key == "sslcert" || key == "sslkey" || key == "sslpassword":
			return target{}, fmt.Errorf("url: holds %s; name the files under tls", key)
		case key == "options" || key == "application_name" || key == "target_session_attrs":
			to.options[key] = values[0]
		default:
			return target{}, fmt.Errorf("url: the setting %q is not known; sslmode, host, options, application_name and target_session_attrs are", key)
		}
	}
	for _, key := range []string{"host", "socket"} {
		if dir := u.Query().Get(key); strings.HasPrefix(dir, "/") {
			to.host, secure = dir, false
		}
	}
	switch mode := u.Query().Get(plain); mode {
	case "":
	case "disable", "false":
		secure = false
	case "require", "verify-ca", "verify-full", "true":
		secure = true
	default:
		return target{}, fmt.Errorf("url: %s=%s leaves open whether the connection is secure; write verify-full (MySQL: tls=true), or disable (tls=false)", plain, "...")
	}
	if to.host == "" {
		to.host = "localhost"
	}
	if trust != nil {
		secure = true
	}
	if secure {
		to.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if trust != nil {
			to.tls = trust.Clone()
		}
		if to.tls.ServerName == "" {
			to.tls.ServerName = to.host
		}
	}
	return to, nil
}

// thisMachine reports whether a host is reached without a network.
func thisMachine(host string) bool {
	if host == "" || host == "localhost" || strings.HasPrefix(host, "/") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (t *target) address() string { return net.JoinHostPort(t.host, t.port) }
