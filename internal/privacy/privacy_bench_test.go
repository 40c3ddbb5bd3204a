package privacy_test

import (
	"fmt"
	"testing"

	"vigil/internal/privacy"
)

func BenchmarkCached(b *testing.B) {
	p := newPseudonymizer(b, privacy.Options{})
	ids := make([]string, 1_000)
	for i := range ids {
		ids[i] = fmt.Sprint("customer-", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Subject("acme", ids[i%len(ids)])
	}
}

func BenchmarkEvent(b *testing.B) {
	p := newPseudonymizer(b, privacy.Options{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e := canaryEvent()
		e.Fields, e.UserAgent, e.Actor.App, e.Resource, e.Shape = nil, "curl/8", "psql", "messages", "select messages#1"
		p.Event(e, "acme")
	}
}
