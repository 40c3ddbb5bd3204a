package talk_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"vigil/alerts"
)

// BenchmarkPress is how long it takes from Slack's request until the desk is asked.
func BenchmarkPress(b *testing.B) {
	r := newRoom(b, "http")
	asked := make(chan time.Time, 1)
	r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) {
		asked <- time.Now()
		return alerts.Outcome{Text: "x"}, nil
	})
	r.talk.Remember(1 << 30)
	took := make([]time.Duration, 0, b.N)
	now := strconv.FormatInt(epoch.Unix(), 10)
	for b.Loop() {
		req := signedRequest(pressBody(r), now)
		begun := time.Now()
		if rec := serve(r, req); rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
		took = append(took, (<-asked).Sub(begun))
		<-r.desk.acts
		r.Next(b, "chat.postEphemeral")
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
