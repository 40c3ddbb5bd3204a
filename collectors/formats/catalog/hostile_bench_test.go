package catalog_test

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
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
			// Of each format its best: the first takes the start of the SQL grammar along.
			took, allocated := map[string]time.Duration{}, map[string]uint64{}
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
					t := time.Since(start)
					runtime.ReadMemStats(&after)
					n := after.TotalAlloc - before.TotalAlloc
					if best, known := took[f.Name()]; !known || t < best {
						took[f.Name()] = t
					}
					if best, known := allocated[f.Name()]; !known || n < best {
						allocated[f.Name()] = n
					}
				}
			}
			slow, large := worst(took), worst(allocated)
			b.ReportMetric(float64(took[slow].Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(allocated[large])/(1<<20), "worst-MiB")
			b.Logf("slowest %s, largest %s", slow, large)
		})
	}
}

// worst is the name with the largest value.
func worst[T cmp.Ordered](m map[string]T) (name string) {
	for _, n := range slices.Sorted(maps.Keys(m)) {
		if name == "" || m[n] > m[name] {
			name = n
		}
	}
	return name
}
