package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// SQL reads an audit table as it grows.
type SQL struct {
	// URL is the database's address with user and password: postgres://user:password@host/db
	// or mysql://user:password@host/db. A secret. Required.
	URL Secret `yaml:"url"`
	// Driver is postgres or mysql, where it shall stand beside the URL. Empty takes it from
	// there.
	Driver string `yaml:"driver"`
	// Table is the table or view, with its schema where it is not found without ("audit.events").
	// Either it or Query is required.
	Table string `yaml:"table"`
	// Query is a SELECT in the table's place. It must hold ">= :cursor".
	Query string `yaml:"query"`
	// Cursor is the column by which new rows are known. Required.
	Cursor string `yaml:"cursor"`
	// Columns are those that are read, beside the cursor. Empty reads all but binary ones.
	Columns []string `yaml:"columns"`
	// JSON are text columns that hold JSON. May be empty.
	JSON []string `yaml:"json"`
	// Sparse says that the cursor's numbers are not counted up one by one.
	Sparse bool `yaml:"sparse"`
	// Timezone is where times without a zone are meant. Default UTC.
	Timezone string `yaml:"timezone"`
	// Poll is how often the table is looked at. Zero means 10s.
	Poll Duration `yaml:"poll"`
	// Settle is how long a row may take until it is committed. Zero means 10m.
	Settle Duration `yaml:"settle"`
	// Batch is how many rows are read at once, at most 10,000. Zero means 1000.
	Batch int `yaml:"batch"`
	// TLS says whom to trust. Empty trusts whom this machine trusts.
	TLS *TLS `yaml:"tls"`
}

func (k *SQL) check(c *checker, field string) {
	k.checkURL(c, field)
	switch {
	case c.bad(field+".table") || c.bad(field+".query"):
	case k.Table == "" && k.Query == "":
		c.at(field+".table", "is missing", "name the table, or give a query")
	case k.Table != "" && k.Query != "":
		c.at(field+".query", "stands beside table", "give one of the two")
	case k.Query != "" && !strings.Contains(strings.Join(strings.Fields(k.Query), " "), ">= :cursor"):
		c.at(field+".query", "does not use the cursor", `write for example "SELECT ... WHERE a.id >= :cursor"`)
	}
	if k.Cursor == "" && !c.bad(field+".cursor") {
		c.at(field+".cursor", "is missing", "name the column by which new rows are known, such as id")
	}
	if _, err := time.LoadLocation(k.Timezone); err != nil {
		c.at(field+".timezone", fmt.Sprintf("%q is no time zone", k.Timezone), `write for example "Europe/Berlin"`)
	}
	if k.Batch < 0 || k.Batch > 10_000 {
		c.at(field+".batch", fmt.Sprintf("%d is outside 1 to 10,000", k.Batch), "leave it out for the default")
	}
	if k.Settle != 0 && k.Settle < Duration(time.Second) || k.Settle > Duration(24*time.Hour) {
		c.at(field+".settle", fmt.Sprintf("%s is outside 1s to 1d", k.Settle), "leave it out for the default")
	}
	if k.Poll != 0 && k.Poll < Duration(time.Second) || k.Poll > Duration(time.Hour) {
		c.at(field+".poll", fmt.Sprintf("%s is outside 1s to 1h", k.Poll), "leave it out for the default")
	}
	k.TLS.check(c, field+".tls")
}

// checkURL tells nothing of the address, which has the password in it.
func (k *SQL) checkURL(c *checker, field string) {
	value, ok := c.secret(field+".url", k.URL)
	if !ok || c.bad(field+".url") {
		return
	}
	const remedy = "write env:AUDIT_DB and set it to postgres://user:password@host:5432/database, special characters of the password as %xx" //nolint:gosec // an example
	if value == "" {
		c.at(field+".url", "is missing", remedy)
		return
	}
	drivers := map[string]string{"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
	u, err := url.Parse(value)
	switch {
	case err != nil || drivers[u.Scheme] == "":
		c.at(field+".url", "begins with neither postgres:// nor mysql://, or can't be read", remedy)
	case u.User.Username() == "" || strings.Trim(u.Path, "/") == "":
		c.at(field+".url", "names no user or no database", remedy)
	case k.Driver != "" && slices.Contains([]string{"postgres", "mysql"}, k.Driver) && drivers[u.Scheme] != k.Driver:
		c.at(field+".driver", fmt.Sprintf("%q is not what url begins with", k.Driver), "leave it out")
	}
}
