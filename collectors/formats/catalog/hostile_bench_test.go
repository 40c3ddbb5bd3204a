package catalog_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/formats/formatstest"
)

// hostile are records of nearly a megabyte that somebody wrote to cost time.
func hostile() map[string]string {
	const size = 1<<20 - 100
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	return map[string]string{
		"one long word":   fill("a"),
		"words":           fill("a b "),
		"commas":          fill("a,"),
		"quotes":          fill(`"`),
		"pairs":           fill("k=v "),
		"brackets":        fill("["),
		"nested":          strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
		"keys":            "{" + fill(`"k":1,`) + `"z":1}`,
		"list":            `{"Records":[` + fill(`{"a":1},`) + `{}]}`,
		"long string":     `{"message":"` + fill("x") + `"}`,
		"escaped string":  `{"message":"` + fill(`\u0041`) + `"}`,
		"JSON in strings": `{"message":"` + fill(`{\"message\":`) + `"}`,
		"statement":       "2026-11-02 09:14:05.123 UTC [77] maria@desk LOG:  statement: SELECT " + fill("(") + " FROM x",
		"syslog":          "<34>1 2026-10-11T22:14:15.003Z host app - - " + fill(`[a b="\]"]`) + " x",
		"table":           "time,user,action\n" + fill(`"a""b",`),
	}
}

// BenchmarkHostile tells the worst time and memory that one such record takes, over all
// formats: 50 ms and 8 MiB are what one may take.
func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile() {
		b.Run(name, func(b *testing.B) {
			var slowest time.Duration
			var largest uint64
			var slow, large string
			for b.Loop() {
				for _, f := range catalog.All() {
					dec, err := f.New(formats.Options{Source: "s", File: "f"})
					if err != nil {
						continue
					}
					var lines []formats.Line
					formatstest.Lines(dec, text+"\n", func(l formats.Line) { lines = append(lines, l) })
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					start := time.Now()
					for _, l := range lines {
						_ = dec.Decode(l, func(*vigil.Event, formats.Line) {})
					}
					took := time.Since(start)
					runtime.ReadMemStats(&after)
					if took > slowest {
						slowest, slow = took, f.Name()
					}
					if n := after.TotalAlloc - before.TotalAlloc; n > largest {
						largest, large = n, f.Name()
					}
				}
			}
			b.ReportMetric(float64(slowest.Milliseconds()), "worst-ms")
			b.ReportMetric(float64(largest)/(1<<20), "worst-MiB")
			b.Logf("slowest %s, largest %s", slow, large)
		})
	}
}
