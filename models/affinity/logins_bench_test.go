//go:build !race

package affinity_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"vigil"
	"vigil/internal/metrics"
	"vigil/models/affinity"
)

const publicLogins = "../../../shared/data/logins/"

type login struct {
	address, network, actor uint64
	denied, attack          bool
	tick                    int64
}

func unzip(b *testing.B, name string) *gzip.Reader {
	b.Helper()
	f, err := os.Open(publicLogins + name)
	if err != nil {
		b.Skipf("NOT MEASURED: the labelled logins are not there: %v", err)
	}
	b.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	return z
}

func readLogins(b *testing.B) []login {
	b.Helper()
	users := map[string][]string{}
	if err := json.NewDecoder(unzip(b, "user_ips.json.gz")).Decode(&users); err != nil {
		b.Fatal(err)
	}
	assigned := map[string]bool{}
	for _, addresses := range users {
		for _, a := range addresses {
			assigned[a] = true
		}
	}
	rows, err := csv.NewReader(unzip(b, "logs_2018.csv.gz")).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	var logins []login
	for _, r := range rows[1:] {
		at, err := time.Parse("2006-01-02 15:04:05", r[0])
		if err != nil {
			b.Fatal(err)
		}
		logins = append(logins, login{
			address: xxhash.Sum64String(r[1]), network: xxhash.Sum64String(vigil.NetworkOf(r[1])),
			actor: xxhash.Sum64String(r[2]), denied: r[3] == "False", attack: !assigned[r[1]], tick: at.Unix() / 60,
		})
	}
	return logins
}

// BenchmarkPublicLogins measures how well the raw score of where actors come from
// orders labelled logins: the year, and parts of it that start without a past.
func BenchmarkPublicLogins(b *testing.B) {
	logins := readLogins(b)
	n := len(logins)
	for _, c := range []struct {
		name   string
		logins []login
		cfg    affinity.Config
		net    bool
	}{
		{"year", logins, affinity.Config{}, false},
		{"year/networks", logins, affinity.Config{}, true},
		{"year/seed1", logins, affinity.Config{Seed: 1}, false},
		{"year/limit1024", logins, affinity.Config{Limit: 1024}, false},
		{"half1", logins[:n/2], affinity.Config{}, false},
		{"half2", logins[n/2:], affinity.Config{}, false},
		{"quarter1", logins[:n/4], affinity.Config{}, false},
		{"quarter2", logins[n/4 : n/2], affinity.Config{}, false},
		{"quarter3", logins[n/2 : 3*n/4], affinity.Config{}, false},
		{"quarter4", logins[3*n/4:], affinity.Config{}, false},
		{"from-week2", logins[n/50:], affinity.Config{}, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := model(b, c.cfg)
			scores, labels := make([]float64, len(c.logins)), make([]bool, len(c.logins))
			start := cpu(b)
			for b.Loop() {
				s := m.Sources()
				for i, l := range c.logins {
					from := l.address
					if c.net {
						from = l.network
					}
					scores[i], labels[i] = s.Add(from, l.actor, l.denied, l.tick), l.attack
				}
			}
			perCPU(b, start, b.N*len(c.logins), "Mlogins")
			q, err := metrics.Measure(scores, labels)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(q.AUC, "AUC")
			b.ReportMetric(q.AP, "AP")
		})
	}
}
