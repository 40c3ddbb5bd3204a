//go:build !race

package postgresql_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
	"vigil/collectors/formats/presets"
)

// auditLines makes n audit lines of a few shapes over many sessions.
func auditLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "2026-11-24 10:%02d:%02d.%03d UTC [%d] agent%d@help helpdesk 10.0.0.%d 6b04d6ba.%x LOG:  AUDIT: SESSION,%d,1,READ,SELECT,TABLE,public.messages,",
			i/60000%60, i/1000%60, i%1000, 1000+i%40, i%40, i%40, 1000+i%40, i+1)
		if i%3 == 0 {
			fmt.Fprintf(&b, "\"SELECT \"\"messages\"\".* FROM \"\"messages\"\" WHERE \"\"messages\"\".\"\"conversation_id\"\" = $1 AND \"\"messages\"\".\"\"account_id\"\" = $2 ORDER BY created_at LIMIT $3\",\"%d,1,25\",12\n", i%5000)
		} else {
			fmt.Fprintf(&b, "\"SELECT id, email, phone_number FROM contacts WHERE account_id = 1 AND id IN (%d, %d, %d)\",<none>,3\n", i, i+1, i+2)
		}
	}
	return b.Bytes()
}

func BenchmarkDecodeAudit(b *testing.B) {
	m, _ := presets.Named("chatwoot")
	f := postgresql.New()
	input := auditLines(20_000)
	opts := formats.Options{Source: "db", File: "f", Mapping: m, Sample: input[:64<<10]}
	decode(b, f, opts, input[:64<<10]) // parses the shapes
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		run(b, f, opts, input)
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkDecodeRecorded(b *testing.B) {
	m, _ := presets.Named("chatwoot")
	f := postgresql.New()
	for _, name := range []string{"audit-log/input.log", "audit-csv/input.csv", "audit-json/input.json"} {
		input, err := os.ReadFile("testdata/" + name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			opts := formats.Options{Source: "db", File: "f", Mapping: m, Sample: input}
			decode(b, f, opts, input)
			for b.Loop() {
				run(b, f, opts, input)
			}
			b.ReportMetric(float64(bytes.Count(input, []byte("\n"))*b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

func run(b *testing.B, f formats.Format, opts formats.Options, input []byte) {
	d, err := f.New(opts)
	if err != nil {
		b.Fatal(err)
	}
	emit := func(*vigil.Event, formats.Line) {}
	var off, n int64
	for l := range bytes.Lines(input) {
		n++
		_ = d.Decode(formats.Line{Text: bytes.TrimSuffix(l, []byte("\n")), Offset: off, Number: n}, emit)
		off += int64(len(l))
	}
	if err := d.Flush(emit); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkDecodeWrapped(b *testing.B) {
	m, _ := presets.Named("chatwoot")
	f := postgresql.New()
	for name, carrier := range map[string]string{
		"syslog": "Nov 24 10:00:00 db1 postgres[%[1]d]: [%[1]d-1] %[2]s\n",
		"docker": "{\"log\":%[2]q,\"stream\":\"stderr\",\"time\":\"2026-11-24T10:00:00.123456789Z\"}\n",
	} {
		var in bytes.Buffer
		for i, l := range bytes.Split(bytes.TrimSpace(auditLines(20_000)), []byte("\n")) {
			fmt.Fprintf(&in, carrier, 1000+i%40, l)
		}
		input := in.Bytes()
		b.Run(name, func(b *testing.B) {
			opts := formats.Options{Source: "db", File: "f", Mapping: m, Sample: input[:64<<10]}
			decode(b, f, opts, input[:64<<10])
			b.SetBytes(int64(len(input)))
			for b.Loop() {
				run(b, f, opts, input)
			}
			b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
