package reasons

import (
	"time"

	"vigil"
)

// WithdrawnFor is how long before e the consent for it was withdrawn, or the record
// should have been gone: the longest over its customers, zero when neither is so.
// What was withdrawn a moment ago takes time to reach all systems.
func (b *Book) WithdrawnFor(e *vigil.Event) (longest time.Duration) {
	if len(b.consents.records) == 0 {
		return 0
	}
	t := e.Time.UnixNano()
	for _, subject := range e.Subjects {
		l := b.consents.index[b.mark(ofSubject, subject).hash]
		if l == nil || b.consent(l, e, t, subject)&(Withdrawn|Erased) == 0 {
			continue
		}
		for _, en := range l.entries {
			r := &en.rec
			if r.Subject != subject || !b.theirs(r.Tenant, e) || r.Purpose != "" && r.Purpose != e.Purpose {
				continue
			}
			for _, since := range [...]time.Time{r.Withdrawn, r.Erased} {
				if !since.IsZero() {
					longest = max(longest, e.Time.Sub(since))
				}
			}
		}
	}
	return longest
}
