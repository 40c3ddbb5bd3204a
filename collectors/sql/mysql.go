package sqltable

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// maria speaks to MySQL and MariaDB. Values go as the text protocol has them.
type maria struct {
	db   *sql.DB
	conn *sql.Conn
	tx   *sql.Tx
	// name is the database's.
	name string
}

func openMySQL(ctx context.Context, to *target) (*maria, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = to.user, to.pass, to.dbname
	cfg.Net, cfg.Addr = "tcp", to.address()
	if strings.HasPrefix(to.host, "/") {
		cfg.Net, cfg.Addr = "unix", to.host
	}
	cfg.TLS, cfg.Timeout, cfg.WriteTimeout = to.tls, connectTimeout, connectTimeout
	cfg.ReadTimeout = queryTimeout + 5*time.Second
	cfg.MaxAllowedPacket, cfg.Logger, cfg.InterpolateParams = maxMessage, &mysql.NopLogger{}, true
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	cfg.Collation = "utf8mb4_general_ci"
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}
	cfg.DialFunc = dialer.DialContext
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, errors.New("set up the connection to MySQL")
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, mysqlError("connect to MySQL", err)
	}
	m := &maria{db: db, conn: conn, name: to.dbname}
	// MariaDB counts in seconds, MySQL in milliseconds; each knows its own name alone.
	if _, err := conn.ExecContext(ctx, "SET SESSION max_statement_time = "+strconv.Itoa(int(queryTimeout/time.Second))); err != nil {
		if _, err := conn.ExecContext(ctx, "SET SESSION max_execution_time = "+strconv.FormatInt(queryTimeout.Milliseconds(), 10)); err != nil {
			m.close()
			return nil, mysqlError("bound the time of statements", err)
		}
	}
	return m, nil
}

func (m *maria) close() {
	m.conn.Close()
	m.db.Close()
}

func (m *maria) begin(ctx context.Context) error {
	tx, err := m.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	m.tx = tx
	return mysqlError("begin a transaction", err)
}

func (m *maria) end(context.Context) error {
	return mysqlError("end a transaction", m.tx.Rollback())
}

func (m *maria) rows(ctx context.Context, text string, args []string) (*sql.Rows, error) {
	anys := make([]any, len(args))
	for i, a := range args {
		anys[i] = a
	}
	return m.tx.QueryContext(ctx, text, anys...)
}

func (m *maria) query(ctx context.Context, text string, args []string, each func(values [][]byte) error) error {
	rows, err := m.rows(ctx, text, args)
	if err != nil {
		return mysqlError("read the table", err)
	}
	defer rows.Close()
	var values []sql.RawBytes
	var pointers []any
	var plain [][]byte
	for rows.Next() {
		if values == nil {
			names, err := rows.Columns()
			if err != nil {
				return mysqlError("read the table", err)
			}
			values, pointers, plain = make([]sql.RawBytes, len(names)), make([]any, len(names)), make([][]byte, len(names))
			for i := range values {
				pointers[i] = &values[i]
			}
		}
		if err := rows.Scan(pointers...); err != nil {
			return mysqlError("read a row", err)
		}
		for i, v := range values {
			plain[i] = v
		}
		if err := each(plain); err != nil {
			return err
		}
	}
	return mysqlError("read the table", rows.Err())
}

func (m *maria) columns(ctx context.Context, from string) ([]column, error) {
	rows, err := m.rows(ctx, "SELECT * FROM "+from+" LIMIT 0", nil)
	if err != nil {
		return nil, mysqlError("describe the table", err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, mysqlError("describe the table", err)
	}
	var out []column
	for _, t := range types {
		out = append(out, column{name: t.Name(), kind: mysqlKind(t.DatabaseTypeName()), typ: strings.ToLower(t.DatabaseTypeName())})
	}
	return out, mysqlError("describe the table", rows.Err())
}

func mysqlKind(name string) kind {
	switch strings.TrimPrefix(name, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR":
		return kindInteger
	case "DECIMAL", "FLOAT", "DOUBLE":
		return kindNumber
	case "TIMESTAMP":
		return kindTime
	case "DATETIME":
		return kindLocal
	case "DATE":
		return kindDate
	case "JSON":
		return kindJSON
	case "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BIT", "GEOMETRY":
		return kindBinary
	}
	return kindText
}

func (m *maria) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (m *maria) parameter(int) string { return "?" }

func (m *maria) expr(c column) string {
	q := "q." + m.quote(c.name)
	switch c.kind {
	case kindText:
		return "LEFT(" + q + ", " + strconv.Itoa(maxText) + ")"
	case kindJSON:
		return "IF(LENGTH(" + q + ") <= " + strconv.Itoa(maxJSON) + ", " + q + ", NULL)"
	}
	return q
}

// snapshot tells the server's time and which table it is: when it was made, which
// TRUNCATE and a restore change, and when the server started, to ten seconds. Which transactions run is not told without the right
// PROCESS, so that Settle alone decides.
func (m *maria) snapshot(ctx context.Context, table *ident) (s snapshot, err error) {
	err = m.query(ctx, "SELECT UTC_TIMESTAMP(6)", nil, func(v [][]byte) error {
		s.now, _ = parseTime(kindTime, string(v[0]), nil)
		return nil
	})
	if err != nil || table == nil {
		return s, err
	}
	schema, name := m.schema(table), table.name
	err = m.query(ctx, "SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?", []string{schema, name}, func(v [][]byte) error {
		s.identity = string(v[0])
		return nil
	})
	if err != nil {
		return s, err
	}
	err = m.query(ctx, "SHOW GLOBAL STATUS LIKE 'Uptime'", nil, func(v [][]byte) error {
		up, _ := strconv.ParseInt(string(v[1]), 10, 64)
		s.identity += "/" + strconv.FormatInt((s.now.Unix()-up)/10, 10)
		return nil
	})
	return s, err
}

// schema is that of a table, the connection's where none is named.
func (m *maria) schema(t *ident) string {
	if t.schema == "" {
		return m.name
	}
	return t.schema
}

func (m *maria) keys(ctx context.Context, table *ident) ([]string, error) {
	schema, name := m.schema(table), table.name
	var out []string
	err := m.query(ctx, `SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE CONSTRAINT_NAME = 'PRIMARY' AND TABLE_SCHEMA = ? AND TABLE_NAME = ?
		ORDER BY ORDINAL_POSITION`, []string{schema, name}, func(v [][]byte) error {
		out = append(out, string(v[0]))
		return nil
	})
	return out, err
}

func (m *maria) writable(ctx context.Context, table *ident) (rights, who, revoke string, err error) {
	schema, name := m.schema(table), table.name
	me := `CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')`
	var list []string
	err = m.query(ctx, `SELECT p.PRIVILEGE_TYPE, p.GRANTEE FROM (
		SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES
		UNION SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE ? LIKE TABLE_SCHEMA
		UNION SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?) p
		WHERE p.GRANTEE = `+me+` AND p.PRIVILEGE_TYPE IN ('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER') ORDER BY 1`, []string{schema, schema, name}, func(v [][]byte) error {
		list, who = append(list, string(v[0])), string(v[1])
		return nil
	})
	if rights = strings.Join(list, ", "); rights != "" {
		revoke = "a user of its own for vigil: GRANT SELECT ON " + schema + "." + name + " TO 'vigil'@'%'"
	}
	return rights, who, revoke, err
}

func (m *maria) least(k kind) string {
	switch k {
	case kindTime, kindLocal:
		return "1000-01-01 00:00:00"
	case kindDate:
		return "1000-01-01"
	}
	return ""
}

func (m *maria) grant(table *ident, user string) string {
	schema, name := m.schema(table), table.name
	return "GRANT SELECT ON " + schema + "." + name + " TO '" + user + "'@'%'"
}

// mysqlError says what failed, and what mends it. The server's texts may quote values, so
// the numbers of those that are not known here stand alone.
func mysqlError(what string, err error) error {
	if err == nil {
		return nil
	}
	var my *mysql.MySQLError
	if !errors.As(err, &my) {
		var cert *tls.CertificateVerificationError
		if errors.As(err, &cert) {
			return fmt.Errorf("%s: the server's certificate is not trusted: name who signed it with tls.ca: %w", what, err)
		}
		if errors.Is(err, mysql.ErrNoTLS) {
			return fmt.Errorf("%s: the server has no TLS: set it up there, or write tls=false into url where the way to it is safe", what)
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	switch my.Number {
	case 1045, 1698:
		return fmt.Errorf("%s: the server refuses the user or password (%d): check url", what, my.Number)
	case 1044, 1142, 1143:
		return &rightsError{what: what, code: strconv.Itoa(int(my.Number))}
	case 1049:
		return fmt.Errorf("%s: there is no such database (1049): check url", what)
	case 1146:
		return fmt.Errorf("%s: there is no such table (1146): check table and query", what)
	case 1054:
		return fmt.Errorf("%s: there is no such column (1054): check cursor, columns and query", what)
	case 1969, 3024:
		return fmt.Errorf("%s: the server took longer than %s (%d): make an index on the cursor's column", what, queryTimeout, my.Number)
	case 1064, 1060, 1052:
		return fmt.Errorf("%s: the server does not understand the query (%d): %.200q", what, my.Number, my.Message)
	case 1792:
		return fmt.Errorf("%s: the query wants to write (1792), and may only read", what)
	}
	return fmt.Errorf("%s: the server says error %d", what, my.Number)
}
