//go:build !race

package mysql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

func desk() *formats.Mapping {
	type cols = map[string]formats.Meaning
	return &formats.Mapping{Tables: map[string]formats.Table{
		"contacts": {Columns: cols{"id": "subject", "account_id": "tenant"}, Class: "contact"},
		"messages": {Columns: cols{"conversation_id": "conversation"}, Class: "chat"},
		"ignored":  {Ignore: true},
	}}
}

type meant struct {
	Action                    vigil.Action
	Resource, Subjects, Class string
	Count, Limit              int64
	Fields, Destination       string
	Unbounded, Lexical        bool
}

func TestDialect(t *testing.T) {
	t.Parallel()
	const u = vigil.Unknown
	r := statement.NewParser(1000).Reader(desk())
	for sql, want := range map[string]meant{
		"SELECT `id`, `Email` FROM `contacts` WHERE `contacts`.`id` = 17 LIMIT 1":                                      {Action: "read", Resource: "contacts", Class: "contact", Subjects: "17", Count: 1, Limit: 1, Fields: "id email"},
		"SELECT id FROM help.contacts WHERE id IN (\"a\", 'b') # why\nLIMIT 40, 20":                                    {Action: "read", Resource: "contacts", Class: "contact", Subjects: "a b", Count: 2, Limit: 20, Fields: "id"},
		`SELECT id FROM contacts WHERE id = 'o\'b' OR id = "x""y"`:                                                     {Action: "read", Resource: "contacts", Class: "contact", Subjects: `o'b x"y`, Count: u, Limit: u, Fields: "id"},
		"SELECT /*!40001 SQL_NO_CACHE */ * FROM `contacts`":                                                            {Action: "read", Resource: "contacts", Class: "contact", Count: u, Limit: u, Fields: "*", Unbounded: true},
		"SELECT SQL_CALC_FOUND_ROWS c.* FROM contacts c FORCE INDEX (a, b) WHERE c.id <=> 5":                           {Action: "read", Resource: "contacts", Class: "contact", Subjects: "5", Count: 1, Limit: u, Fields: "*"},
		"SELECT * FROM contacts INTO OUTFILE '/tmp/x' FIELDS TERMINATED BY ','":                                        {Action: "export", Resource: "contacts", Class: "contact", Count: u, Limit: u, Fields: "*", Destination: "server-file", Unbounded: true},
		"SELECT * INTO OUTFILE '/tmp/x' FROM contacts WHERE id = 3":                                                    {Action: "export", Resource: "contacts", Class: "contact", Subjects: "3", Count: 1, Limit: u, Fields: "*", Destination: "server-file"},
		"SELECT email INTO @e FROM contacts WHERE id = 3":                                                              {Action: "read", Resource: "contacts", Class: "contact", Subjects: "3", Count: 1, Limit: u, Fields: "email"},
		"SELECT id FROM contacts WHERE seen > NOW() - INTERVAL 7 DAY && id = 4 LOCK IN SHARE MODE":                     {Action: "read", Resource: "contacts", Class: "contact", Subjects: "4", Count: 1, Limit: u, Fields: "id"},
		"SELECT GROUP_CONCAT(email ORDER BY id SEPARATOR '; ') FROM contacts WHERE id = ?":                             {Action: "read", Resource: "contacts", Class: "contact", Count: u, Limit: u, Fields: "id email"},
		"SELECT COUNT(id) AS 'How many' FROM contacts WHERE name REGEXP '^a' GROUP BY x WITH ROLLUP":                   {Action: "read", Resource: "contacts", Class: "contact", Count: u, Limit: u, Fields: "id"},
		"SELECT id FROM contacts WHERE MATCH(a,b) AGAINST ('x y' IN BOOLEAN MODE) LIMIT 10":                            {Action: "read", Resource: "contacts", Class: "contact", Count: u, Limit: 10, Fields: "id"},
		"INSERT INTO contacts SET id = 9, email = 'x'":                                                                 {Action: "write", Resource: "contacts", Class: "contact", Subjects: "9", Count: 1, Limit: u, Fields: "id email"},
		"INSERT IGNORE INTO contacts (id, email) VALUES (1,'a'),(2,'b') ON DUPLICATE KEY UPDATE email = VALUES(email)": {Action: "write", Resource: "contacts", Class: "contact", Subjects: "1 2", Count: 2, Limit: u, Fields: "id email"},
		"REPLACE contacts (id) VALUES (1)":                                                                             {Action: "write", Resource: "contacts", Class: "contact", Subjects: "1", Count: 1, Limit: u, Fields: "id"},
		"UPDATE `contacts` SET `name` = 'x' WHERE `id` = 5 ORDER BY id LIMIT 1":                                        {Action: "write", Resource: "contacts", Class: "contact", Subjects: "5", Count: 1, Limit: u, Fields: "name"},
		"DELETE QUICK FROM contacts WHERE id = 5 LIMIT 1":                                                              {Action: "delete", Resource: "contacts", Class: "contact", Subjects: "5", Count: 1, Limit: u},
		"CREATE TABLE stash SELECT * FROM contacts":                                                                    {Action: "export", Resource: "contacts", Class: "contact", Count: u, Limit: u, Fields: "*", Destination: "table", Unbounded: true},
		"CREATE TABLE x (id INT PRIMARY KEY) ENGINE=InnoDB":                                                            {Action: "configure", Resource: "x", Count: u, Limit: u, Lexical: true},
		"SET @a = (SELECT email FROM contacts WHERE id = 8)":                                                           {Action: "read", Resource: "contacts", Class: "contact", Subjects: "8", Count: 1, Limit: u},
		"SELECT id FROM contacts WHERE id = NAME_CONST('i',9)":                                                         {Action: "read", Resource: "contacts", Class: "contact", Subjects: "9", Count: 1, Limit: u, Fields: "id"},
		"SET NAMES utf8mb4":                                             {Count: u, Limit: u, Lexical: true},
		"SET autocommit=0, sql_mode='ANSI'":                             {Count: u, Limit: u, Lexical: true},
		"SET GLOBAL server_audit_logging = OFF":                         {Action: "configure", Resource: "server_audit_logging", Count: u, Limit: u, Lexical: true},
		"SET @@global.general_log = 0":                                  {Action: "configure", Resource: "general_log", Count: u, Limit: u, Lexical: true},
		"UNINSTALL PLUGIN server_audit":                                 {Action: "configure", Resource: "uninstall", Count: u, Limit: u, Lexical: true},
		"GRANT ALL ON *.* TO 'eve'@'%'":                                 {Action: "grant", Count: u, Limit: u, Lexical: true},
		"CREATE USER 'eve'@'%' IDENTIFIED BY 'x'":                       {Action: "grant", Count: u, Limit: u, Lexical: true},
		"SELECT DATABASE(), @@version_comment, CONNECTION_ID() LIMIT 1": {Count: u, Limit: 1},
		"select sleep(2)":                                               {Count: u, Limit: u},
		"SELECT LOAD_FILE('/etc/passwd')":                               {Action: "execute", Resource: "load_file", Count: u, Limit: u},
		"SHOW CREATE TABLE contacts":                                    {Resource: "contacts", Class: "contact", Count: u, Limit: u, Lexical: true},
		"USE help":                                                      {Count: u, Limit: u, Lexical: true},
		"SELECT user, host FROM mysql.user":                             {Action: "read", Resource: "user", Class: "system", Count: u, Limit: u, Fields: "* host"},
		"CALL find_contact(5)":                                          {Action: "execute", Resource: "find_contact", Count: u, Limit: u},
		"LOAD DATA LOCAL INFILE '/x' INTO TABLE contacts":               {Action: "write", Resource: "contacts", Class: "contact", Count: u, Limit: u, Lexical: true},
		"HANDLER contacts READ FIRST":                                   {Action: "read", Resource: "contacts", Count: u, Limit: u, Lexical: true},
		"TRUNCATE contacts":                                             {Action: "delete", Resource: "contacts", Class: "contact", Count: u, Limit: u},
		"EXECUTE s USING @a":                                            {Count: u, Limit: u, Lexical: true},
		"UPDATE contacts c JOIN messages m ON m.x = c.x SET c.a = 1 WHERE c.id = 6":   {Action: "write", Resource: "contacts", Class: "contact", Subjects: "6", Count: u, Limit: u, Lexical: true},
		"SELECT id FROM contacts WHERE id = _utf8mb4'7' AND BINARY name = 'x' -- end": {Action: "read", Resource: "contacts", Class: "contact", Subjects: "7", Count: 1, Limit: u, Fields: "id"},
	} {
		results := read(r, sql)
		if len(results) != 1 {
			t.Errorf("%s: %d results", sql, len(results))
			continue
		}
		res := results[0]
		got := meant{res.Action, res.Resource, strings.Join(res.Subjects, " "), res.Class, res.SubjectCount, res.Limit,
			strings.Join(res.Fields, " "), res.Destination, res.Unbounded, res.Lexical}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s\n%s", sql, translate(sql).sql, diff)
		}
	}
}

// The same statement in a driver's other spelling has the same shape.
func TestShapes(t *testing.T) {
	t.Parallel()
	r := statement.NewParser(1000).Reader(desk())
	shape := func(sql string) string { return read(r, sql)[0].Shape }
	want := shape("select id from contacts where id = 5 limit 2, 1")
	for _, sql := range []string{
		"SELECT `id` FROM `contacts` WHERE `id` = '7' LIMIT 10, 20", "select id  from contacts /* hi */ where id = \"x\" limit 1 offset 2", "SELECT id FROM contacts WHERE id = 5 LIMIT 9,9 # x",
		"SELECT `id` FROM `Contacts` WHERE `id` = ? LIMIT ?, ?",
	} {
		if got := shape(sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	if strings.Contains(want, "5") && !strings.HasPrefix(want, "select contacts#") {
		t.Error(want)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"select 1": false, "select 'a": true, "select 'a\\'": true, "select 'it''s'": false, "select /* x": true, "select -- don't\n1": false,
		"select # don't": false, "select `a": true, `select "a'b"`: false, "select /*! 1": false, "": false,
	} {
		if open(sql) != want {
			t.Errorf("%q: %v", sql, !want)
		}
	}
}
