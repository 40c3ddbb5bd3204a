package sqltable

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgres speaks to PostgreSQL, in the text form of its protocol: what the server writes
// is what we read, whatever it is.
type postgres struct {
	conn *pgconn.PgConn
	// most bounds the wait for an answer: a little more than queryTimeout, after which a
	// server that lives gives up itself.
	most time.Duration
}

func openPostgres(ctx context.Context, to *target) (*postgres, error) {
	// The library takes only configurations that it parsed; what it finds in the
	// environment is put aside.
	cfg, err := pgconn.ParseConfig("postgres://localhost/?sslmode=disable")
	if err != nil {
		return nil, errors.New("set up the connection to PostgreSQL")
	}
	port, err := strconv.ParseUint(to.port, 10, 16)
	if err != nil {
		return nil, errors.New("url: the port is no number")
	}
	cfg.Host, cfg.Port, cfg.Database, cfg.User, cfg.Password = to.host, uint16(port), to.dbname, to.user, to.pass
	cfg.TLSConfig, cfg.Fallbacks, cfg.ConnectTimeout = to.tls, nil, connectTimeout
	cfg.MaxProtocolMessageBodyLen = maxMessage
	cfg.RuntimeParams = map[string]string{"client_encoding": "UTF8", "application_name": "vigil"}
	for k, v := range to.options {
		if k != "target_session_attrs" {
			cfg.RuntimeParams[k] = v
		}
	}
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}
	cfg.DialFunc = dialer.DialContext
	cfg.ValidateConnect = nil
	switch to.options["target_session_attrs"] {
	case "read-write":
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	case "primary":
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	case "standby":
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsStandby
	}
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, postgresError("connect to PostgreSQL", err)
	}
	return &postgres{conn, queryTimeout + 5*time.Second}, nil
}

func (p *postgres) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.conn.Close(ctx)
}

// begin sets all within the transaction: a pooler may give the next one to another server
// process.
func (p *postgres) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.most)
	defer cancel()
	ms := strconv.FormatInt(queryTimeout.Milliseconds(), 10)
	_, err := p.conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = "+ms+
		"; SET LOCAL lock_timeout = 5000; SET LOCAL idle_in_transaction_session_timeout = 60000"+
		"; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL standard_conforming_strings = on").ReadAll()
	return postgresError("begin a transaction", err)
}

func (p *postgres) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.most)
	defer cancel()
	_, err := p.conn.Exec(ctx, "ROLLBACK").ReadAll()
	return postgresError("end a transaction", err)
}

func (p *postgres) query(ctx context.Context, sql string, args []string, each func(values [][]byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.most)
	defer cancel()
	rows := p.conn.ExecParams(ctx, sql, raw(args), nil, nil, nil)
	var failed error
	for rows.NextRow() {
		if failed == nil {
			failed = each(rows.Values())
		}
	}
	if _, err := rows.Close(); err != nil {
		return postgresError("read the table", err)
	}
	return failed
}

func raw(args []string) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		out[i] = []byte(a)
	}
	return out
}

func (p *postgres) columns(ctx context.Context, from string) ([]column, error) {
	ctx, cancel := context.WithTimeout(ctx, p.most)
	defer cancel()
	rows := p.conn.ExecParams(ctx, "SELECT * FROM "+from+" LIMIT 0", nil, nil, nil, nil)
	var out []column
	for _, f := range rows.FieldDescriptions() {
		k, typ := postgresKind(f.DataTypeOID)
		out = append(out, column{name: f.Name, kind: k, typ: typ})
	}
	if _, err := rows.Close(); err != nil {
		return nil, postgresError("describe the table", err)
	}
	return out, nil
}

// postgresKind knows the built-in types by their numbers, which never change.
func postgresKind(oid uint32) (kind, string) {
	switch oid {
	case 20:
		return kindInteger, "bigint"
	case 21:
		return kindInteger, "smallint"
	case 23:
		return kindInteger, "integer"
	case 16:
		return kindBool, "boolean"
	case 26, 700, 701, 1700:
		return kindNumber, "numeric"
	case 1184:
		return kindTime, "timestamptz"
	case 1114:
		return kindLocal, "timestamp"
	case 1082:
		return kindDate, "date"
	case 2950:
		return kindUUID, "uuid"
	case 114, 3802:
		return kindJSON, "json"
	case 869, 650, 829, 774, 1083, 1266, 1186, 18, 19:
		return kindShort, "text"
	case 17:
		return kindBinary, "bytea"
	case 1000, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 1231, 2951, 1185, 1014:
		return kindArray, "array"
	}
	return kindText, "text"
}

func (p *postgres) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (p *postgres) parameter(n int) string { return "$" + strconv.Itoa(n) }

func (p *postgres) expr(c column) string {
	q := "q." + p.quote(c.name)
	limit := strconv.Itoa(maxJSON)
	switch c.kind {
	case kindText:
		return "left(" + q + "::text, " + strconv.Itoa(maxText) + ")"
	case kindJSON:
		return "CASE WHEN octet_length(" + q + "::text) <= " + limit + " THEN " + q + "::text END"
	case kindArray:
		return "CASE WHEN octet_length(" + q + "::text) <= " + limit + " THEN array_to_json(" + q + ")::text END"
	}
	return q
}

// snapshot tells the transactions that run, the server's time, and which table it is: its
// number and that of its file, which TRUNCATE and a restore change, and when the server
// started: one that crashed, or took over, may have lost rows and give their numbers anew.
func (p *postgres) snapshot(ctx context.Context, table *ident) (s snapshot, err error) {
	// Both forms are there from PostgreSQL 8.3 to 18, and on standbys.
	err = p.query(ctx, "SELECT txid_snapshot_xmin(s), txid_snapshot_xmax(s), clock_timestamp() FROM txid_current_snapshot() s", nil, func(v [][]byte) error {
		s.xmin, _ = strconv.ParseInt(string(v[0]), 10, 64)
		s.xmax, _ = strconv.ParseInt(string(v[1]), 10, 64)
		s.now, _ = parseTime(kindTime, string(v[2]), nil)
		return nil
	})
	if err != nil || table == nil {
		return s, err
	}
	err = p.query(ctx, "SELECT concat_ws('/', c.oid, c.relfilenode, extract(epoch FROM pg_postmaster_start_time())) FROM pg_catalog.pg_class c WHERE c.oid = $1::regclass", []string{table.quoted}, func(v [][]byte) error {
		s.identity = string(v[0])
		return nil
	})
	return s, err
}

func (p *postgres) keys(ctx context.Context, table *ident) ([]string, error) {
	var out []string
	err := p.query(ctx, `SELECT a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY a.attnum`, []string{table.quoted}, func(v [][]byte) error {
		out = append(out, string(v[0]))
		return nil
	})
	return out, err
}

func (p *postgres) writable(ctx context.Context, table *ident) (rights, who, revoke string, err error) {
	err = p.query(ctx, `SELECT current_user, concat_ws(', ', CASE WHEN has_table_privilege($1::regclass, 'INSERT') THEN 'INSERT' END,
		CASE WHEN has_table_privilege($1::regclass, 'UPDATE') THEN 'UPDATE' END, CASE WHEN has_table_privilege($1::regclass, 'DELETE') THEN 'DELETE' END,
		CASE WHEN has_table_privilege($1::regclass, 'TRUNCATE') THEN 'TRUNCATE' END)`, []string{table.quoted}, func(v [][]byte) error {
		who, rights = string(v[0]), string(v[1])
		return nil
	})
	if rights != "" {
		revoke = "REVOKE " + rights + " ON " + table.quoted + " FROM " + p.quote(who)
	}
	return rights, who, revoke, err
}

// least is a value below or equal to all of a kind, for queries that need one.
func (p *postgres) least(k kind) string {
	switch k {
	case kindTime, kindLocal, kindDate:
		return "-infinity"
	case kindUUID:
		return "00000000-0000-0000-0000-000000000000"
	}
	return ""
}

func (p *postgres) grant(table *ident, user string) string {
	return "GRANT SELECT ON " + table.quoted + " TO " + p.quote(user)
}

// postgresError says what failed, and what mends it. The library's texts of failed
// connections hold no password; those of the server may quote values, so of these only
// the message of its class is told.
func postgresError(what string, err error) error {
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		var cert *tls.CertificateVerificationError
		if errors.As(err, &cert) {
			return fmt.Errorf("%s: the server's certificate is not trusted: name who signed it with tls.ca: %w", what, err)
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	if len(pg.Code) != 5 {
		return fmt.Errorf("%s: the server does not speak PostgreSQL's protocol", what)
	}
	switch {
	case strings.HasPrefix(pg.Code, "28"):
		return fmt.Errorf("%s: the server refuses the user or password (%s): check url, and pg_hba.conf of the server", what, pg.Code)
	case pg.Code == "3D000":
		return fmt.Errorf("%s: there is no such database (3D000): check url", what)
	case pg.Code == "42501":
		return &rightsError{what: what, code: pg.Code}
	case pg.Code == "42P01" || pg.Code == "3F000":
		return fmt.Errorf("%s: there is no such table (%s): write it with its schema, as in audit.events, and in its own case", what, pg.Code)
	case pg.Code == "42703":
		return fmt.Errorf("%s: there is no such column (42703): check cursor, columns and query", what)
	case pg.Code == "57014":
		return fmt.Errorf("%s: the server took longer than %s (57014): make an index on the cursor's column", what, queryTimeout)
	case strings.HasPrefix(pg.Code, "57P"):
		return fmt.Errorf("%s: the server is stopping or starting (%s)", what, pg.Code)
	case pg.Code == "25006":
		return fmt.Errorf("%s: the query wants to write (25006), and may only read", what)
	case strings.HasPrefix(pg.Code, "42") || pg.Code == "0A000":
		return fmt.Errorf("%s: the server does not understand the query (%s): %.200q", what, pg.Code, pg.Message)
	}
	return fmt.Errorf("%s: the server says error %q", what, pg.Code)
}
