package postgresql

import (
	"container/list"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/fxamacker/cbor/v2"
)

// saved is what a restart needs, at the position that Pending tells.
type saved struct {
	Version  int            `cbor:"1,keyasint"`
	Sessions []savedSession `cbor:"2,keyasint,omitempty"` // the last seen first
	// Done are the events at or after the position that have come out.
	Done []byte `cbor:"3,keyasint,omitempty"`
}

type savedSession struct {
	Key  string `cbor:"1,keyasint"`
	User string `cbor:"2,keyasint,omitempty"`
	DB   string `cbor:"3,keyasint,omitempty"`
	App  string `cbor:"4,keyasint,omitempty"`
	Host string `cbor:"5,keyasint,omitempty"`
	ID   string `cbor:"6,keyasint,omitempty"`
}

const stateVersion = 1

func idHash(id string) uint64 { return xxhash.Sum64String(id) }

// State returns who is connected and which events have come out, for a reader
// that goes on at Pending, or at the next line when nothing is pending.
func (d *decoder) State() ([]byte, error) {
	d.prune()
	v := saved{Version: stateVersion}
	for e := d.sessions.order.Front(); e != nil; e = e.Next() {
		s := e.Value.(*session)
		v.Sessions = append(v.Sessions, savedSession{s.key, s.user, s.db, s.app, s.host, s.id})
	}
	for _, e := range d.done {
		v.Done = binary.BigEndian.AppendUint64(v.Done, e.id)
	}
	for id := range d.replayed {
		v.Done = binary.BigEndian.AppendUint64(v.Done, id)
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
	if v.Version != stateVersion || len(v.Sessions) > maxSessions || len(v.Done)%8 != 0 {
		return fmt.Errorf("restore decoder state: version %d or its content is not known", v.Version)
	}
	d.sessions = &sessions{order: list.New(), byKey: make(map[string]*list.Element)}
	for _, s := range v.Sessions {
		if _, twice := d.sessions.byKey[s.Key]; twice {
			continue
		}
		d.sessions.byKey[s.Key] = d.sessions.order.PushBack(&session{key: s.Key, user: s.User, db: s.DB, app: s.App, host: s.Host, id: s.ID})
	}
	clear(d.replayed)
	for b := v.Done; len(b) >= 8; b = b[8:] {
		d.replayed[binary.BigEndian.Uint64(b)] = struct{}{}
	}
	return nil
}
