package sqltable

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// connectTimeout bounds the making of a connection, queryTimeout one statement.
	connectTimeout = 10 * time.Second
	queryTimeout   = 30 * time.Second
	// keepAlive finds a server that is gone without a word.
	keepAlive = 15 * time.Second
	// maxMessage bounds one message of the server, which is a row at most.
	maxMessage = 64 << 20
)

// store is a connection to a database of one make. Between begin and end it sees one
// state of the data, and can't write.
type store interface {
	begin(ctx context.Context) error
	end(ctx context.Context) error
	// query gives each row's values in their text forms, nil for NULL, valid during the call.
	query(ctx context.Context, sql string, args []string, each func(values [][]byte) error) error
	// columns describes what stands after FROM.
	columns(ctx context.Context, from string) ([]column, error)
	// snapshot tells of the moment; of a nil table no identity.
	snapshot(ctx context.Context, table *ident) (snapshot, error)
	// keys are the columns of the primary key.
	keys(ctx context.Context, table *ident) ([]string, error)
	// writable lists the rights by which the user might change the table.
	writable(ctx context.Context, table *ident) (rights, who, revoke string, err error)
	close()

	quote(name string) string
	parameter(n int) string
	// expr is how a column is selected, bounded.
	expr(c column) string
	least(k kind) string
	grant(table *ident, user string) string
}

// snapshot is what a database says of the moment.
type snapshot struct {
	// xmin is the oldest transaction that runs, xmax the first that has not begun; 0 when
	// that is not told.
	xmin, xmax int64
	now        time.Time
	// identity is which table it is, "" when that is not told.
	identity string
}

// ident is a table's name.
type ident struct{ schema, name, quoted string }

func identOf(db store, table string) *ident {
	if table == "" {
		return nil
	}
	parts := strings.Split(table, ".")
	out := &ident{name: parts[len(parts)-1]}
	if len(parts) > 1 {
		out.schema = parts[len(parts)-2]
	}
	for i, p := range parts {
		parts[i] = db.quote(p)
	}
	out.quoted = strings.Join(parts, ".")
	return out
}

// rightsError is of a right that is missing.
type rightsError struct{ what, code, remedy string }

func (e *rightsError) Error() string {
	text := fmt.Sprintf("%s: the user may not read the table (%s)", e.what, e.code)
	if e.remedy != "" {
		text += ": " + e.remedy
	}
	return text
}

func open(ctx context.Context, to *target) (store, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	if to.mysql {
		return openMySQL(ctx, to)
	}
	return openPostgres(ctx, to)
}
