package statement_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

func mapping() *formats.Mapping {
	type cols = map[string]formats.Meaning
	return &formats.Mapping{
		Tables: map[string]formats.Table{
			"contacts":             {Columns: cols{"id": "subject", "account_id": "tenant"}, Class: "contact"},
			"public.conversations": {Columns: cols{"id": "conversation", "contact_id": "subject", "account_id": "tenant"}, Class: "chat"},
			"messages":             {Columns: cols{"conversation_id": "conversation"}, Class: "chat"},
			"schema_migrations":    {Ignore: true},
		},
		Params: map[string]formats.Meaning{"conversation": "conversation", "ticket": "ticket", "customer": "subject"},
	}
}

// want is what a case asserts of a result, written shortly.
type want struct {
	action                              vigil.Action
	resource, subjects, talks, tenants  string
	count, limit                        int64
	fields, tables, destination, ticket string
	unbounded, lexical, ignored         bool
}

func short(r *statement.Result) want {
	join := func(l []string) string { return strings.Join(l, " ") }
	return want{
		action: r.Action, resource: r.Resource, subjects: join(r.Subjects), talks: join(r.Conversations), tenants: join(r.Tenants),
		count: r.SubjectCount, limit: r.Limit, fields: join(r.Fields), tables: join(r.Qualified), destination: r.Destination,
		ticket: join(r.Tickets), unbounded: r.Unbounded, lexical: r.Lexical, ignored: r.Ignored,
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	const u = vigil.Unknown
	r := statement.NewParser(1000).Reader(mapping())
	for _, c := range []struct {
		name, sql string
		params    []string
		want      want
	}{
		{"by key", "SELECT id, email FROM contacts WHERE id = 17;", nil,
			want{action: "read", resource: "contacts", subjects: "17", count: 1, limit: u, fields: "id email", tables: "contacts"}},
		{"value first", "select 1 from contacts where '17' = id", nil,
			want{action: "read", resource: "contacts", subjects: "17", count: 1, limit: u, tables: "contacts"}},
		{"list", "select * from contacts where id in (3, 4, 4, 5) limit 50", nil,
			want{action: "read", resource: "contacts", subjects: "3 4 5", count: 3, limit: 50, fields: "*", tables: "contacts"}},
		{"cast list", "select * from contacts where id in ('a'::uuid, 'b'::uuid)", nil,
			want{action: "read", resource: "contacts", subjects: "a b", count: 2, limit: u, fields: "*", tables: "contacts"}},
		{"array literal", `select * from contacts where id = any('{1,"x, y",NULL}')`, nil,
			want{action: "read", resource: "contacts", subjects: "1 x, y", count: 2, limit: u, fields: "*", tables: "contacts"}},
		{"array parameter", "select * from contacts where id = any($1)", []string{"{7,8}"},
			want{action: "read", resource: "contacts", subjects: "7 8", count: 2, limit: u, fields: "*", tables: "contacts"}},
		{"array constructor", "select * from contacts where id = any(array[1,2]::bigint[])", nil,
			want{action: "read", resource: "contacts", subjects: "1 2", count: 2, limit: u, fields: "*", tables: "contacts"}},
		{"join by alias", "select c.*, m.content from public.conversations c join messages m on m.conversation_id = c.id where c.contact_id = $1 and c.account_id = $2", []string{"100", "2"},
			want{action: "read", resource: "conversations", subjects: "100", tenants: "2", count: 1, limit: u, fields: "* content", tables: "public.conversations messages"}},
		{"row comparison", "select 1 from contacts where (account_id, id) = (4, 5)", nil,
			want{action: "read", resource: "contacts", subjects: "5", tenants: "4", count: 1, limit: u, tables: "contacts"}},
		{"escapes", `select 1 from contacts where id = E'a\'b' or id = 'c''d' or id = $x$e$x$`, nil,
			want{action: "read", resource: "contacts", subjects: "a'b c'd e", count: u, limit: u, tables: "contacts"}},
		{"left out", "select 1 from contacts where id <> 5 and not id = 6 and id not in (7)", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, tables: "contacts"}},
		{"subquery column", "select x.* from (select * from contacts) x where x.id = 5", nil,
			want{action: "read", resource: "contacts", subjects: "5", count: 1, limit: u, fields: "*", tables: "contacts"}},
		{"whole", "select * from contacts", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, fields: "*", tables: "contacts", unbounded: true}},
		{"tautology", "select * from contacts where id = 5 or 1 = 1", nil,
			want{action: "read", resource: "contacts", subjects: "5", count: u, limit: u, fields: "*", tables: "contacts", unbounded: true}},
		{"join bounds nothing", "select * from contacts k join messages m on m.id = k.id", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, fields: "*", tables: "contacts messages", unbounded: true}},
		{"through with", "with o as (select * from contacts) select * from o", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, fields: "*", tables: "contacts", unbounded: true}},
		{"hidden in the list", "select (select json_agg(c) from contacts c)", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, tables: "contacts", unbounded: true}},
		{"one arm of a union", "select id from contacts where id = 1 union all select id from contacts", nil,
			want{action: "read", resource: "contacts", subjects: "1", count: 1, limit: u, fields: "id", tables: "contacts", unbounded: true}},
		{"counted only", "select count(*) from contacts", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, tables: "contacts"}},
		{"insert", "INSERT INTO messages (conversation_id, content) VALUES (42, 'x'), (43, 'y')", nil,
			want{action: "write", resource: "messages", talks: "42 43", count: u, limit: u, fields: "conversation_id content", tables: "messages"}},
		{"update", "update only conversations set status = 1 where id = 42", nil,
			want{action: "write", resource: "conversations", talks: "42", count: u, limit: u, fields: "status", tables: "conversations"}},
		{"delete", "delete from messages where conversation_id = 4", nil,
			want{action: "delete", resource: "messages", talks: "4", count: u, limit: u, tables: "messages"}},
		{"copy out", "copy contacts (email) to program 'curl'", nil,
			want{action: "export", resource: "contacts", count: u, limit: u, fields: "email", tables: "contacts", unbounded: true, destination: "program"}},
		{"copy in", "copy contacts from stdin", nil,
			want{action: "write", resource: "contacts", count: u, limit: u, tables: "contacts"}},
		{"stash", "create table stash as select email from contacts where account_id = 1", nil,
			want{action: "export", resource: "contacts", tenants: "1", count: u, limit: u, fields: "email", tables: "contacts", destination: "table"}},
		{"role", "SET ROLE powers", nil, want{action: "impersonate", resource: "powers", count: u, limit: u}},
		{"audit off", "set pgaudit.log = 'none'", nil, want{action: "configure", resource: "pgaudit.log", count: u, limit: u}},
		{"grant", "grant select on contacts to vendor", nil, want{action: "grant", resource: "contacts", count: u, limit: u, tables: "contacts"}},
		{"function", "select get_customer(customer => 5)", nil,
			want{action: "execute", resource: "get_customer", subjects: "5", count: u, limit: u}},
		{"health check", "select version(), 1", nil, want{count: u, limit: u}},
		{"transaction", "BEGIN", nil, want{count: u, limit: u}},
		{"bookkeeping", "select * from schema_migrations", nil,
			want{action: "read", resource: "schema_migrations", count: u, limit: u, fields: "*", tables: "schema_migrations", ignored: true}},
		{"comment", "select * from messages where created_at > now() /*conversation='c%2D42',ticket='T-7'*/", nil,
			want{action: "read", resource: "messages", talks: "c-42", ticket: "T-7", count: u, limit: u, fields: "*", tables: "messages"}},
		{"cut short", "select * from contacts c where c.id in (17, 18", nil,
			want{action: "read", resource: "contacts", subjects: "17 18", count: u, limit: u, tables: "contacts", lexical: true}},
		{"cut in a literal", "select * from contacts where email = 'abc", nil,
			want{action: "read", resource: "contacts", count: u, limit: u, tables: "contacts", lexical: true}},
		{"no SQL", "SELEC broken", nil, want{action: "other", count: u, limit: u, lexical: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.Read(c.sql, c.params)
			if len(got) != 1 {
				t.Fatalf("%d results, want 1", len(got))
			}
			if diff := cmp.Diff(c.want, short(&got[0]), cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", c.sql, diff)
			}
		})
	}
}

func TestShapeDropsLiterals(t *testing.T) {
	t.Parallel()
	r := statement.NewParser(100).Reader(mapping())
	shape := func(sql string) string {
		got := r.Read(sql, nil)
		if len(got) == 0 {
			t.Fatalf("%q: no result", sql)
		}
		return got[0].Shape
	}
	base := shape("SELECT * FROM contacts WHERE id IN (1,2,3) AND email = 'a'")
	for _, same := range []string{
		"select *  from contacts where id in (9) and email='zz zz';",
		"select * from \"contacts\" where id in ($1, $2) and email = $3",
		"select * from contacts where id in (1,2,3,4,5,6,7,8) and email = 'x' -- why",
		"/* from */ select * from contacts where id in (-1,2) and email = $$x$$",
	} {
		if got := shape(same); got != base {
			t.Errorf("%q has shape %q, want %q", same, got, base)
		}
	}
	if other := shape("select * from contacts where id in (1) and phone = 'a'"); other == base {
		t.Errorf("different statements share the shape %q", base)
	}
	rows := shape("insert into messages (a, b) values (1, 'x')")
	if got := shape("insert into messages (a, b) values (1, 'x'), (2, 'y'), (3, 'z')"); got != rows {
		t.Errorf("more rows have shape %q, want %q", got, rows)
	}
}

func TestSeveralStatements(t *testing.T) {
	t.Parallel()
	got := statement.NewParser(10).Reader(mapping()).Read("begin; select * from contacts where id = 5; delete from messages", nil)
	var actions []string
	for i := range got {
		actions = append(actions, string(got[i].Action))
	}
	if diff := cmp.Diff([]string{"", "read", "delete"}, actions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Readers of several sources share one parser, which forgets shapes meanwhile. This is
// what formats of SQL have in common, so it is where the race detector looks.
func TestReadersShareAParser(t *testing.T) {
	t.Parallel()
	p := statement.NewParser(3)
	p.Warm()
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			r := p.Reader(mapping())
			for i := range 60 {
				id := strconv.Itoa(n*1000 + i)
				table := []string{"contacts", "public.conversations"}[i%2]
				got := r.Read(fmt.Sprintf("select %s from %s where id = %s", strings.Repeat("id, ", i%5)+"id", table, id), nil)
				if len(got) != 1 || i%2 == 0 && !slices.Equal(got[0].Subjects, []string{id}) || i%2 == 1 && !slices.Equal(got[0].Conversations, []string{id}) {
					t.Errorf("reader %d reads of %s %s: %+v", n, table, id, got)
				}
			}
		})
	}
	all.Wait()
}

func TestManySubjects(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("select * from contacts where id in (0")
	for i := 1; i < 12_345; i++ {
		fmt.Fprintf(&b, ",%d", i)
	}
	got := statement.NewParser(10).Reader(mapping()).Read(b.String()+")", nil)
	if len(got) != 1 || len(got[0].Subjects) != vigil.MaxSubjects || got[0].SubjectCount != 12_345 {
		t.Errorf("%d subjects, count %d; want %d and 12345", len(got[0].Subjects), got[0].SubjectCount, vigil.MaxSubjects)
	}
}

// What would overflow the grammar's stack is read by its words, and the grammar
// still serves the next statement.
func TestHostileDepth(t *testing.T) {
	t.Parallel()
	r := statement.NewParser(100).Reader(mapping())
	for _, s := range []string{
		"select " + strings.Repeat("a+", 50_000) + "1 from contacts",
		"select " + strings.Repeat("(", 50_000) + "1 from contacts",
		"select " + strings.Repeat("not ", 50_000) + "true from contacts",
		"select " + strings.Repeat("case when ", 5_000) + "true from contacts",
		"select " + strings.Repeat("- ", 50_000) + "a from contacts",
		"select a" + strings.Repeat("::int", 50_000) + " from contacts",
		"select a" + strings.Repeat(" is null", 20_000) + " from contacts",
		"select a" + strings.Repeat("[1]", 20_000) + " from contacts",
		strings.Repeat("select * from contacts union ", 5_000) + "select * from contacts",
		"select 1 from contacts" + strings.Repeat(" natural join contacts", 5_000),
		strings.Repeat("explain ", 20_000) + "select * from contacts",
		"select " + strings.Repeat("exists (", 5_000) + "select * from contacts",
		"select 1 from contacts where " + strings.Repeat("array[", 5_000) + "1",
		"select 1 from " + strings.Repeat("lateral ", 50_000) + "contacts",
	} {
		if got := r.Read(s, nil); len(got) != 1 {
			t.Errorf("%.40s: %d results, want 1", s, len(got))
		}
	}
	if got := r.Read("select phone from contacts where id = 1", nil); got[0].Lexical {
		t.Error("the grammar does not answer any more")
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"select * from contacts where id in (1, 2,3)", "copy contacts to stdout", "insert into t values (1,'x'),(2,$$y$$)",
		"select E'\\'' from \"a\"\"b\".c /* x /* y */ */ -- z", "select '", "$1 $a$ b", "update a set b = array[1,-2] where c = any('{1}')",
		"with x as (delete from a returning *) select * from x", "merge into a using b on a.id=b.id when matched then do nothing", "u&'x' uescape '!' n'y' b'1'",
	} {
		f.Add(s, "1")
	}
	r := statement.NewParser(100).Reader(mapping())
	f.Fuzz(func(t *testing.T, sql, param string) {
		first := append([]statement.Result(nil), r.Read(sql, []string{param, param})...)
		again := r.Read(sql, []string{param, param})
		if diff := cmp.Diff(first, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read twice, differs:\n%s", diff)
		}
		fresh := statement.NewParser(10).Reader(mapping()).Read(sql, []string{param, param})
		if diff := cmp.Diff(first, fresh, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read by another parser, differs:\n%s", diff)
		}
		for _, x := range first {
			if x.SubjectCount != vigil.Unknown && x.SubjectCount < int64(len(x.Subjects)) {
				t.Errorf("count %d of %d subjects", x.SubjectCount, len(x.Subjects))
			}
			if x.Action != "" && !x.Action.Valid() {
				t.Errorf("action %q", x.Action)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	r := statement.NewParser(100).Reader(mapping())
	sql := `SELECT "contacts".* FROM "contacts" WHERE "contacts"."account_id" = 7 AND "contacts"."id" IN (1, 2, 3, 4) ORDER BY created_at DESC LIMIT 25`
	r.Read(sql, nil)
	b.ReportAllocs()
	for b.Loop() {
		r.Read(sql, nil)
	}
}
