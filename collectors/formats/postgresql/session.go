package postgresql

import (
	"container/list"
	"strconv"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// The bounds of holding back: what waits longer comes out as it is.
const (
	holdRecords = 512
	holdTime    = 2 * time.Second
	maxSessions = 20_000
	maxHeld     = 64 // events of one session
)

// session is one connection.
type session struct {
	key                 string
	user, db, app, host string
	// id is what events carry.
	id string
	// held are events that the session's next record may add to.
	held []*held
	progress
	// earlier is the progress before the record being read.
	earlier progress
	// The last statement that an audit line held, for those that say
	// "previously logged".
	loggedID, loggedSub int64
	loggedText          string
	loggedParams        []string
}

// progress is how far the statements of one text have been audited, part by part.
type progress struct {
	text    uint64
	next    int
	auditID int64 // pgaudit's number of the part read last
}

// held is an event that waits.
type held struct {
	// before is the session's progress before the event's record.
	before progress
	ev     *vigil.Event
	from   formats.Line
	at     time.Time
	seen   int64  // the record's count
	text   uint64 // hash of the statement's text; 0 for a login
	part   int
	// stmt and sub are pgaudit's numbers, 0 until an audit line was joined.
	stmt, sub int64
	stated    bool // the server's own line told of it
	done      bool
}

type sessions struct {
	order *list.List // of *session, the last seen first
	byKey map[string]*list.Element
}

func newSessions() *sessions {
	return &sessions{order: list.New(), byKey: make(map[string]*list.Element)}
}

// session finds or opens the session of a record; nil when the record names none.
func (d *decoder) session(r *record) *session {
	key := r.session
	if key == "" {
		key = r.pid
	}
	if key == "" {
		return nil
	}
	if r.origin != "" {
		key = r.origin + "/" + key
	}
	if e, ok := d.sessions.byKey[key]; ok {
		d.sessions.order.MoveToFront(e)
		return e.Value.(*session)
	}
	if d.sessions.order.Len() >= maxSessions {
		d.forget(d.sessions.order.Back().Value.(*session))
	}
	s := &session{key: string([]byte(key))}
	d.sessions.byKey[s.key] = d.sessions.order.PushFront(s)
	return s
}

func (d *decoder) forget(s *session) {
	d.settle(s, vigil.OutcomeUnspecified)
	if e, ok := d.sessions.byKey[s.key]; ok {
		d.sessions.order.Remove(e)
		delete(d.sessions.byKey, s.key)
	}
}

// fill takes what the record tells of its session, and the other way round.
func (d *decoder) fill(r *record, s *session) {
	unknown := func(v *string) {
		if *v == "[unknown]" {
			*v = ""
		}
	}
	unknown(&r.user)
	unknown(&r.db)
	unknown(&r.app)
	unknown(&r.host)
	if s == nil {
		return
	}
	both := func(have, told *string) {
		switch {
		case *told == "":
			*told = *have
		case *have != *told:
			*have = d.name(*told)
		}
	}
	both(&s.user, &r.user)
	both(&s.db, &r.db)
	both(&s.app, &r.app)
	both(&s.host, &r.host)
	if s.id == "" {
		s.id = d.name(sessionID(r))
	}
}

// sessionID is the server's session id, made up as the server does it (start time
// and process id in hexadecimal) where the prefix does not print it.
func sessionID(r *record) string {
	switch {
	case r.session != "":
		return r.session
	case !r.start.IsZero() && r.pid != "":
		return strconv.FormatInt(r.start.Unix(), 16) + "." + strconv.FormatInt(number(r.pid), 16)
	case r.pid != "":
		return "pid " + r.pid
	}
	return ""
}

// hold keeps an event back until the session's next record.
func (d *decoder) hold(s *session, h *held) {
	h.seen = d.records
	if s == nil {
		d.release(h)
		return
	}
	if len(s.held) >= maxHeld {
		d.settle(s, vigil.OutcomeUnspecified)
	}
	h.before = s.earlier
	s.held = append(s.held, h)
	d.held = append(d.held, h)
}

// settle brings out what a session holds. outcome is for events without one.
func (d *decoder) settle(s *session, outcome vigil.Outcome) {
	for _, h := range s.held {
		if h.ev.Outcome == vigil.OutcomeUnspecified {
			h.ev.Outcome = outcome
		}
		d.release(h)
	}
	clear(s.held)
	s.held = s.held[:0]
}

// release brings one event out, once.
func (d *decoder) release(h *held) {
	if h.done {
		return
	}
	h.done = true
	if d.emit != nil {
		d.emit(h.ev, h.from)
	}
}

// expire brings out what has waited too long, and forgets what is done.
func (d *decoder) expire(now time.Time) {
	for len(d.held) > 0 {
		h := d.held[0]
		if !h.done {
			if d.records-h.seen < holdRecords && now.Sub(h.at) < holdTime {
				break
			}
			d.release(h)
		}
		d.held[0] = nil
		d.held = d.held[1:]
	}
	if len(d.seen) > 0 && (len(d.held) == 0 || len(d.seen) > 4*holdRecords) {
		d.prune()
	}
}

// prune forgets the records that a restart would not read again.
func (d *decoder) prune() {
	off, ok := d.Pending()
	kept := d.seen[:0]
	if ok {
		for _, e := range d.seen {
			if e.offset >= off {
				kept = append(kept, e)
			}
		}
	}
	clear(d.seen[len(kept):])
	d.seen = kept
}

// drop takes done events off a session's list.
func (s *session) drop() {
	kept := s.held[:0]
	for _, h := range s.held {
		if !h.done {
			kept = append(kept, h)
		}
	}
	clear(s.held[len(kept):])
	s.held = kept
}
