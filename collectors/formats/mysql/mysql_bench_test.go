//go:build !race

package mysql_test

import (
	"bytes"
	"fmt"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/mysql"
)

// A help desk's statements, as its framework writes them.
func workload(i int) string {
	switch i % 3 {
	case 0:
		return fmt.Sprintf("SELECT `messages`.* FROM `messages` WHERE `messages`.`conversation_id` = %d AND `messages`.`account_id` = 1 ORDER BY created_at LIMIT 0, 25", i%5000)
	case 1:
		return fmt.Sprintf("SELECT id, email, phone FROM contacts WHERE account_id = 1 AND id IN (%d, %d, %d)", i, i+1, i+2)
	}
	return fmt.Sprintf("UPDATE `contacts` SET `seen` = '2026-11-24 09:14:05', `note` = 'it''s \\'me\\'' WHERE `contacts`.`id` = %d", i)
}

func benchmark(b *testing.B, f formats.Format, n int, write func(*bytes.Buffer, int)) {
	b.Helper()
	var buf bytes.Buffer
	for i := range n {
		write(&buf, i)
	}
	input := buf.Bytes()
	events := 0
	run := func(input []byte) {
		d := maker(b, f, formats.Options{Source: "db", File: "f", Mapping: mapping()})
		emit := func(*vigil.Event, formats.Line) { events++ }
		var off, num int64
		for l := range bytes.Lines(input) {
			num++
			if err := d.Decode(formats.Line{Text: bytes.TrimSuffix(l, []byte("\n")), Offset: off, Number: num}, emit); err != nil {
				b.Fatal(err)
			}
			off += int64(len(l))
		}
		if err := d.Flush(emit); err != nil {
			b.Fatal(err)
		}
	}
	run(input) // parses the shapes
	events = 0
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		run(input)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkGeneral(b *testing.B) {
	benchmark(b, mysql.New(), 20_000, func(buf *bytes.Buffer, i int) {
		if i < 40 {
			fmt.Fprintf(buf, "2026-11-24T09:14:01.000000Z\t%5d Connect\tagent%d@198.51.100.%d on desk using TCP/IP\n", i, i, i)
		}
		fmt.Fprintf(buf, "2026-11-24T09:%02d:%02d.%03d000Z\t%5d Query\t%s\n", i/60000%60, i/1000%60, i%1000, i%40, workload(i))
	})
}

func BenchmarkSlow(b *testing.B) {
	benchmark(b, mysql.New(), 20_000, func(buf *bytes.Buffer, i int) {
		fmt.Fprintf(buf, "# Time: 2026-11-24T09:14:05.811234Z\n# User@Host: agent%d[agent%d] @  [198.51.100.%d]  Id: %5d\n# Query_time: 0.000475  Lock_time: 0.000002 Rows_sent: %d  Rows_examined: 25\nSET timestamp=%d;\n%s;\n",
			i%40, i%40, i%40, i%40, i%25, 1795511645+i/1000, workload(i))
	})
}

func BenchmarkAudit(b *testing.B) {
	escape := func(s string) string {
		return string(bytes.ReplaceAll([]byte(s), []byte("'"), []byte(`\'`)))
	}
	benchmark(b, mysql.NewMariaDB(), 20_000, func(buf *bytes.Buffer, i int) {
		head := fmt.Sprintf("20261124 09:%02d:%02d,db1,agent%d,198.51.100.%d,%d,%d", i/60000%60, i/1000%60, i%40, i%40, i%40, i)
		fmt.Fprintf(buf, "%s,READ,desk,contacts,\n%s,QUERY,desk,'%s',0\n", head, head, escape(workload(i)))
	})
}

func BenchmarkEnterprise(b *testing.B) {
	benchmark(b, mysql.New(), 20_000, func(buf *bytes.Buffer, i int) {
		fmt.Fprintf(buf, `{"timestamp":"2026-11-24 09:14:02","id":%d,"class":"general","event":"status","connection_id":%d,"account":{"user":"agent%d","host":""},"login":{"user":"agent%d","os":"","ip":"198.51.100.%d","proxy":""},"general_data":{"command":"Query","sql_command":"select","query":%q,"status":0}},`+"\n",
			i, i%40, i%40, i%40, i%40, workload(i))
	})
}
