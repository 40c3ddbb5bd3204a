package postgresql

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// saved is what a restart needs, at the position that Pending tells.
type saved struct {
	Version  int            `cbor:"1,keyasint"`
	Sessions []savedSession `cbor:"2,keyasint,omitempty"` // the last seen first
	// Done marks the records at or after the position that need not be read again.
	Done []byte `cbor:"3,keyasint,omitempty"`
	// Year and Month of the last line without a year.
	Year  int        `cbor:"4,keyasint,omitempty"`
	Month time.Month `cbor:"5,keyasint,omitempty"`
}

type savedSession struct {
	Key  string `cbor:"1,keyasint"`
	User string `cbor:"2,keyasint,omitempty"`
	DB   string `cbor:"3,keyasint,omitempty"`
	App  string `cbor:"4,keyasint,omitempty"`
	Host string `cbor:"5,keyasint,omitempty"`
	ID   string `cbor:"6,keyasint,omitempty"`
	// How far a text of several statements has been audited.
	Text  uint64 `cbor:"7,keyasint,omitempty"`
	Next  int    `cbor:"8,keyasint,omitempty"`
	Audit int64  `cbor:"9,keyasint,omitempty"`
}

const (
	stateVersion = 1
	// maxDone bounds the marks that are taken back.
	maxDone = 100_000
)

// markOf tells a record from others: by where it stands and what it says, since
// another file may follow under the same name.
func markOf(r *record) uint64 {
	return r.hash ^ (uint64(r.from.Offset)+uint64(r.nth)<<40)*0x9e3779b97f4a7c15
}

// State returns who is connected and which records are done with, for a reader
// that goes on at Pending, or at the next line when nothing is pending.
func (d *decoder) State() ([]byte, error) {
	d.prune()
	v := saved{Version: stateVersion, Year: d.calendar.Year, Month: d.calendar.Month}
	for e := d.sessions.order.Front(); e != nil; e = e.Next() {
		s := e.Value.(*session)
		at := s.progress
		s.drop()
		if len(s.held) > 0 {
			at = s.held[0].before
		}
		v.Sessions = append(v.Sessions, savedSession{s.key, s.user, s.db, s.app, s.host, s.id, at.text, at.next, at.auditID})
	}
	for _, e := range d.seen {
		if s := e.session; s != nil && len(s.held) > 0 && e.offset >= s.held[0].from.Offset {
			continue // its event waits, and is made again
		}
		v.Done = binary.BigEndian.AppendUint64(v.Done, e.mark)
	}
	for mark := range d.skip {
		v.Done = binary.BigEndian.AppendUint64(v.Done, mark)
	}
	out, err := cbor.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("save decoder state: %w", err)
	}
	return out, nil
}

// Restore takes State's bytes back. Empty bytes are an empty state.
func (d *decoder) Restore(state []byte) error {
	if len(state) == 0 {
		return nil
	}
	var v saved
	if err := cbor.Unmarshal(state, &v); err != nil {
		return fmt.Errorf("restore decoder state: %w", err)
	}
	if v.Version != stateVersion || len(v.Sessions) > maxSessions || len(v.Done)%8 != 0 || len(v.Done) > 8*maxDone {
		return fmt.Errorf("restore decoder state: version %d or its content is not known", v.Version)
	}
	d.sessions = &sessions{order: list.New(), byKey: make(map[string]*list.Element)}
	for _, s := range v.Sessions {
		if _, twice := d.sessions.byKey[s.Key]; twice {
			continue
		}
		d.sessions.byKey[s.Key] = d.sessions.order.PushBack(&session{key: s.Key, user: s.User, db: s.DB, app: s.App, host: s.Host, id: s.ID,
			progress: progress{s.Text, max(0, s.Next), s.Audit}})
	}
	if v.Year != 0 {
		d.calendar.Year, d.calendar.Month = v.Year, v.Month
	}
	d.resumed = true
	clear(d.skip)
	for b := v.Done; len(b) >= 8; b = b[8:] {
		d.skip[binary.BigEndian.Uint64(b)] = struct{}{}
	}
	return nil
}
