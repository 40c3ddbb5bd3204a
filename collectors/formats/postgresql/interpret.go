package postgresql

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"vigil"
	"vigil/collectors/formats/statement"
)

// The times that events may have: 1990 up to 2100, in seconds since 1970.
const earliest, latest = 631_152_000, 4_102_444_800

// record reads one message of the server.
func (d *decoder) record(r *record) {
	if d.looking {
		return
	}
	if t := r.at.Unix(); t < earliest || t >= latest {
		d.fail(r.from, "time", "the record's time is outside 1990 to 2100: the server's clock, or another format")
		return
	}
	mark := markOf(r)
	if len(d.skip) > 0 {
		if _, done := d.skip[mark]; done {
			delete(d.skip, mark)
			return
		}
	}
	if r.id != "" && !d.delivered.add(r.id) {
		return
	}
	d.records++
	d.expire(r.at)
	s := d.session(r)
	if s != nil {
		s.drop()
		s.earlier = s.progress
	}
	d.interpret(r, s)
	d.seen = append(d.seen, seenRecord{r.from.Offset, mark, s})
}

func (d *decoder) interpret(r *record, s *session) {
	m := r.message
	if strings.HasPrefix(m, "connection received: ") && s != nil {
		d.forget(s) // a process id that is used again
		s = d.session(r)
	}
	d.fill(r, s)
	switch {
	case strings.HasPrefix(m, "AUDIT: "):
		d.audit(r, s, m[len("AUDIT: "):])
	case r.severity == "ERROR" || r.severity == "FATAL" || r.severity == "PANIC":
		d.failed(r, s)
	case r.severity != "LOG":
	case strings.HasPrefix(m, "statement: "):
		d.stated(r, s, m[len("statement: "):], false)
	case strings.HasPrefix(m, "execute "):
		d.executed(r, s, m, false)
	case strings.HasPrefix(m, "duration: "):
		d.duration(r, s, m)
	case strings.HasPrefix(m, "connection received: "):
		if s != nil && s.host == "" {
			s.host = d.name(after(m, "host="))
		}
	case strings.HasPrefix(m, "connection authorized: "), strings.HasPrefix(m, "replication connection authorized: "):
		d.login(r, s, m)
	case strings.HasPrefix(m, "disconnection: "):
		d.logout(r, s, m)
	}
}

// after reads the value of "key=value" up to the next " key=".
func after(m, key string) string {
	i := strings.Index(m, key)
	if i < 0 || i > 0 && m[i-1] != ' ' {
		return ""
	}
	v := m[i+len(key):]
	for j := 0; j < len(v); j++ {
		if v[j] != ' ' {
			continue
		}
		k := j + 1
		for k < len(v) && (v[k] == '_' || v[k] >= 'a' && v[k] <= 'z') {
			k++
		}
		if k > j+1 && k < len(v) && v[k] == '=' || strings.HasPrefix(v[j:], " SSL enabled") || strings.HasPrefix(v[j:], " GSS ") {
			return v[:j]
		}
	}
	return v
}

// event makes an event of a record; nil, with the record set aside, when nobody
// is named.
func (d *decoder) event(r *record, part int) *vigil.Event {
	switch {
	case r.user != "":
	case r.anonymous:
		r.user = "anonymous"
	default:
		d.fail(r.from, "actor", "no user: log_line_prefix lacks %%u, and no \"connection authorized\" line of this session was read; set log_line_prefix to '%%m [%%p] %%q%%u@%%d %%a %%h %%c ' or log_connections to on")
		return nil
	}
	e := vigil.NewEvent()
	e.Time, e.Source = r.at, d.opts.Source
	e.Actor.ID, e.Actor.App = d.name(r.user), d.name(r.app)
	if r.anonymous && r.user == "anonymous" {
		e.Actor.Kind = vigil.KindAnonymous
	}
	e.Store = d.opts.Store
	if e.Store == "" {
		e.Store = d.name(r.db)
	}
	e.IP, e.Session = d.name(r.host), d.name(sessionID(r))
	e.Origin = vigil.Origin{File: d.opts.File, Offset: r.from.Offset, Line: r.from.Number, Hash: r.hash}
	d.identify(e, r, part)
	return e
}

// textHash tells statements apart; a trailing semicolon does not matter.
func textHash(text string) uint64 {
	return xxhash.Sum64String(strings.TrimRight(text, "; \t\n")) | 1
}

// access says whether a statement is one that makes an event.
func access(res *statement.Result) bool {
	return res.Action != "" && !res.Ignored && res.Prepares == ""
}

// maxParts bounds the events of one record.
const maxParts = 100

// read analyses a statement; EXECUTE of a statement whose PREPARE the DETAIL
// holds is read as that.
func (d *decoder) read(r *record, text string, params []string) ([]statement.Result, uint64) {
	results := d.statements.Read(text, params)
	if len(results) == 1 && results[0].Executes != "" {
		if prepared, ok := strings.CutPrefix(r.detail, "prepare: "); ok {
			results = d.statements.Read(prepared, results[0].Args)
			for i := range results {
				results[i].Prepares = ""
			}
			return results, textHash(prepared)
		}
	}
	if len(results) > maxParts {
		results = results[:maxParts]
	}
	return results, textHash(text)
}

// stated handles a statement that the server logged itself. finished says that it
// has ended (its duration is known).
func (d *decoder) stated(r *record, s *session, text string, finished bool) {
	d.access(r, s, text, nil, finished)
}

// executed handles "execute NAME: SQL", with its parameters in DETAIL.
func (d *decoder) executed(r *record, s *session, m string, finished bool) {
	name, text, ok := strings.Cut(m[len("execute "):], ": ")
	if !ok || strings.HasPrefix(name, "fetch from ") {
		return // more rows of a portal that was told of when it was opened
	}
	d.access(r, s, text, parameters(r.detail), finished)
}

func (d *decoder) access(r *record, s *session, text string, params []string, finished bool) {
	results, hash := d.read(r, text, params)
	known := make(map[int]bool)
	if s != nil {
		for _, h := range s.held {
			if finished && h.text == hash {
				known[h.part] = true
			}
		}
		d.settle(s, vigil.OutcomeSuccess)
		s.text = 0
	}
	for i := range results {
		if !access(&results[i]) || known[i] {
			continue
		}
		e := d.event(r, i)
		if e == nil {
			return
		}
		results[i].Fill(e)
		if finished {
			e.Outcome = vigil.OutcomeSuccess
		}
		h := &held{ev: e, from: r.from, at: r.at, text: hash, part: i, stated: true}
		if finished {
			d.release(h)
		} else {
			d.hold(s, h)
		}
	}
}

// duration handles "duration: 1.2 ms", alone or with what took so long.
func (d *decoder) duration(r *record, s *session, m string) {
	i := strings.Index(m, " ms")
	if i < 0 {
		return
	}
	rest := strings.TrimLeft(m[i+len(" ms"):], " ")
	switch {
	case rest == "":
		if s != nil {
			d.settle(s, vigil.OutcomeSuccess)
		}
	case strings.HasPrefix(rest, "statement: "):
		d.stated(r, s, rest[len("statement: "):], true)
	case strings.HasPrefix(rest, "execute "):
		d.executed(r, s, rest, true)
	}
}

// parameters reads "parameters: $1 = '12', $2 = NULL".
func parameters(detail string) []string {
	i := strings.Index(detail, "arameters: ")
	if i < 0 || i > 1 {
		return nil
	}
	s := detail[i+len("arameters: "):]
	var out []string
	for len(out) < 65_535 {
		j := strings.Index(s, " = ")
		if j < 0 || !strings.HasPrefix(s, "$") {
			break
		}
		s = s[j+3:]
		if !strings.HasPrefix(s, "'") {
			out = append(out, "") // NULL
		} else {
			k := 1
			for {
				n := strings.IndexByte(s[k:], '\'')
				if n < 0 {
					return out
				}
				k += n
				if k+1 < len(s) && s[k+1] == '\'' {
					k += 2
					continue
				}
				break
			}
			out = append(out, strings.ReplaceAll(s[1:k], "''", "'"))
			s = s[k+1:]
		}
		n := strings.Index(s, ", $")
		if n < 0 {
			break
		}
		s = s[n+2:]
	}
	return out
}

// failed handles ERROR and worse: a refused login, or a statement's end.
func (d *decoder) failed(r *record, s *session) {
	m := r.message
	if r.severity == "FATAL" && (strings.HasPrefix(r.state, "28") || r.state == "3D000" || refusedLogin(m)) {
		d.refused(r, s, m)
		return
	}
	outcome := vigil.OutcomeError
	if r.state == "42501" || strings.HasPrefix(m, "permission denied") || strings.HasPrefix(m, "must be ") || strings.Contains(m, "row-level security") {
		outcome = vigil.OutcomeDenied
	}
	var results []statement.Result
	var hash uint64
	if r.statement != "" {
		results, hash = d.read(r, r.statement, parameters(r.detail))
	}
	ended := make(map[int]bool) // parts of this text that are known to have succeeded
	if s != nil {
		matched := false
		for _, h := range s.held {
			switch same := hash != 0 && h.text == hash || hash == 0 && h.text != 0 && r.severity != "FATAL"; {
			case !same:
			case h.ev.Outcome == vigil.OutcomeSuccess:
				ended[h.part] = true
			default:
				h.ev.Outcome, matched = outcome, true
			}
		}
		d.settle(s, vigil.OutcomeUnspecified)
		if matched {
			return
		}
	}
	left := 0
	for i := range results {
		if access(&results[i]) && !ended[i] {
			left++
		}
	}
	for i := range results {
		// Where all parts have succeeded, another run of the same text failed.
		if !access(&results[i]) || ended[i] && left > 0 {
			continue
		}
		e := d.event(r, i)
		if e == nil {
			return
		}
		results[i].Fill(e)
		e.Outcome = outcome
		d.release(&held{ev: e, from: r.from})
	}
}
