package pack

import (
	"fmt"

	"vigil"
)

// HashOf computes the hash of a record.
func HashOf(r *AuditRecord, previous []byte) []byte { return r.hash(previous) }

// CountWithin counts n events of the first finding, in as much room; each has names of its
// own.
func CountWithin(bytes int64, findings []vigil.Finding, n int, name string) Counts {
	c := newCounter(findings)
	c.room = room(bytes)
	for i := range n {
		own := fmt.Sprint(name, i)
		c.add(&line{Time: findings[0].Start, Actor: findings[0].Actor, Session: own, Subjects: []string{own}})
	}
	return c.close()
}
