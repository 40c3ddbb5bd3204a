package postgresql

import (
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/formats/statement"
)

// The columns of an audit line after "AUDIT: ".
const (
	auditType = iota
	auditStatementID
	auditSubstatementID
	auditClass
	auditCommand
	auditObjectType
	auditObjectName
	auditText
	auditParameter
	auditRows
)

// auditLine is one line of pgaudit. A statement has several: one for each
// relation, for each statement within a function, for SESSION and OBJECT.
type auditLine struct {
	stmt, sub            int64
	class, command       string
	objectType, object   string
	text                 string
	params               []string
	rows                 int64
	finished, textMissed bool
}

// audit handles one line of pgaudit.
func (d *decoder) audit(r *record, s *session, body string) {
	a, problem := readAudit(body, s)
	if problem != "" {
		d.fail(r.from, "format", "%s", problem)
		return
	}
	var res statement.Result
	part, hash := 0, textHash(a.text)
	if a.textMissed {
		res = d.withoutText(a)
		// Nothing tells such statements apart but their numbers.
		hash = textHash(strconv.FormatInt(a.stmt, 10) + "/" + strconv.FormatInt(a.sub, 10))
	} else {
		results := d.statements.Read(a.text, a.params)
		if len(results) == 0 {
			return
		}
		part = choosePart(results, a, s, hash)
		res = results[part]
		if a.command != "PREPARE" {
			res.Prepares = "" // an execution is logged with the text of its PREPARE
		}
	}
	if s != nil && d.join(s, a, hash, part, &res) {
		return
	}
	if s != nil {
		for _, h := range s.held {
			if h.stmt != a.stmt && (h.text != hash || h.part == part) {
				d.settle(s, vigil.OutcomeSuccess)
				break
			}
		}
	}
	if !access(&res) {
		return
	}
	e := d.event(r, part)
	if e == nil {
		return
	}
	res.Fill(e)
	h := &held{ev: e, from: r.from, at: r.at, text: hash, part: part, stmt: a.stmt, sub: a.sub}
	d.enrich(h, a, true)
	d.hold(s, h)
}

// join adds an audit line to the event that waits for it.
func (d *decoder) join(s *session, a auditLine, hash uint64, part int, res *statement.Result) bool {
	for _, h := range s.held {
		if h.text != hash || h.part != part || h.stmt != 0 && h.stmt != a.stmt {
			continue
		}
		first := h.sub != a.sub
		h.stmt, h.sub = a.stmt, a.sub
		if h.ev.SubjectCount == vigil.Unknown && len(h.ev.Subjects) == 0 || len(res.Subjects) == 0 {
			if len(res.Subjects) > 0 {
				h.ev.Subjects, h.ev.SubjectCount = res.Subjects, res.SubjectCount
			}
		} else if first {
			mergeSubjects(h.ev, res)
		}
		d.enrich(h, a, first)
		return true
	}
	return false
}

// mergeSubjects joins the subjects of one statement that a function ran again
// with other parameters.
func mergeSubjects(e *vigil.Event, res *statement.Result) {
	if len(e.Subjects) == len(res.Subjects) && len(e.Subjects) == 1 && e.Subjects[0] == res.Subjects[0] {
		return
	}
	have := make(map[string]bool, len(e.Subjects))
	for _, s := range e.Subjects {
		have[s] = true
	}
	merged := append([]string(nil), e.Subjects...)
	for _, s := range res.Subjects {
		if !have[s] && len(merged) < vigil.MaxSubjects {
			have[s] = true
			merged = append(merged, s)
		}
	}
	e.Subjects = merged
	if e.SubjectCount != vigil.Unknown {
		e.SubjectCount = max(e.SubjectCount, int64(len(merged)))
	}
}

// enrich adds rows and the relation. fresh says that the line is not another
// relation of the same substatement, whose rows are the same rows.
func (d *decoder) enrich(h *held, a auditLine, fresh bool) {
	e := h.ev
	if a.finished {
		e.Outcome = vigil.OutcomeSuccess
	}
	if a.rows != vigil.Unknown && countsRows(a.command) {
		switch {
		case e.Rows == vigil.Unknown:
			e.Rows = a.rows
		case fresh:
			e.Rows += a.rows
		default:
			e.Rows = max(e.Rows, a.rows)
		}
	}
	if e.ResourceClass == "" && a.object != "" && d.opts.Mapping != nil && isRelation(a.objectType) {
		// A view's table, or one that the statement's text does not show.
		if t, ok := statement.TableOf(d.opts.Mapping, strings.ToLower(a.object)); ok && !t.Ignore {
			e.Resource, e.ResourceClass = d.name(lastPart(strings.ToLower(a.object))), t.Class
		}
	}
}

// countsRows says that pgaudit counts the command's rows: for utility commands,
// COPY among them, it prints 0 whatever they returned.
func countsRows(command string) bool {
	switch command {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE":
		return true
	}
	return false
}

func isRelation(kind string) bool {
	switch kind {
	case "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "PARTITIONED TABLE":
		return true
	}
	return false
}

func lastPart(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// choosePart finds which of a text's statements an audit line is about: pgaudit
// prints the whole text for each.
func choosePart(results []statement.Result, a auditLine, s *session, hash uint64) int {
	if len(results) == 1 || s == nil {
		return 0
	}
	if s.text != hash {
		s.text, s.next = hash, 0
	} else if s.auditID == a.stmt && s.next > 0 {
		return min(s.next-1, len(results)-1)
	}
	s.auditID = a.stmt
	for i := range len(results) {
		at := (s.next + i) % len(results)
		if results[at].Command == a.command {
			s.next = at + 1
			return at
		}
	}
	at := s.next % len(results)
	s.next = at + 1
	return at
}

// withoutText says what a line means whose statement is not logged.
func (d *decoder) withoutText(a auditLine) statement.Result {
	res := statement.Result{Command: a.command, SubjectCount: vigil.Unknown, Limit: vigil.Unknown}
	switch a.class {
	case "READ":
		res.Action = vigil.ActionRead
		if a.command == "COPY" {
			res.Action = vigil.ActionExport
		}
	case "WRITE":
		res.Action = vigil.ActionWrite
		if a.command == "DELETE" || strings.HasPrefix(a.command, "TRUNCATE") {
			res.Action = vigil.ActionDelete
		}
	case "FUNCTION":
		res.Action = vigil.ActionExecute
	case "ROLE":
		res.Action = vigil.ActionGrant
	case "DDL":
		res.Action = vigil.ActionConfigure
	default:
		return res
	}
	if a.command == "PREPARE" || a.command == "" {
		res.Action = ""
	}
	name := strings.ToLower(a.object)
	res.Resource = d.name(lastPart(name))
	if d.opts.Mapping != nil && name != "" {
		if t, ok := statement.TableOf(d.opts.Mapping, name); ok {
			res.Class, res.Ignored = t.Class, t.Ignore
		}
	}
	res.Shape = strings.ToLower(strings.TrimSpace(a.command + " " + res.Resource))
	return res
}

// readAudit reads the columns of a line; problem says why it cannot be.
func readAudit(body string, s *session) (a auditLine, problem string) {
	var space [12]string
	cols, state := splitCSV(body, space[:0])
	if state != csvWhole || len(cols) < auditParameter {
		return a, "audit line is cut or not pgaudit's: raise the shipper's line limit"
	}
	if cols[auditType] != "SESSION" && cols[auditType] != "OBJECT" {
		return a, "audit line is neither SESSION nor OBJECT"
	}
	a.stmt, a.sub, a.rows = number(cols[auditStatementID]), number(cols[auditSubstatementID]), vigil.Unknown
	a.class, a.command = cols[auditClass], cols[auditCommand]
	a.objectType, a.object, a.text = cols[auditObjectType], cols[auditObjectName], cols[auditText]
	params := ""
	if len(cols) > auditParameter {
		params = cols[auditParameter]
	}
	if len(cols) > auditRows && cols[auditRows] != "" {
		n, err := strconv.ParseInt(cols[auditRows], 10, 64)
		if err == nil && n >= 0 {
			a.rows, a.finished = n, true
		}
	}
	switch a.text {
	case "<previously logged>":
		if s != nil && s.loggedID == a.stmt && s.loggedSub == a.sub {
			a.text, a.params = s.loggedText, s.loggedParams
		} else {
			a.text, a.textMissed = "", true
		}
		return a, ""
	case "<not logged>", "":
		a.text, a.textMissed = "", true
		return a, ""
	}
	switch params {
	case "", "<none>", "<not logged>", "<previously logged>":
	default:
		a.params, _ = splitCSV(params, nil)
		for i, p := range a.params {
			if p == "<long param suppressed>" {
				a.params[i] = ""
			}
		}
	}
	if s != nil {
		s.loggedID, s.loggedSub, s.loggedText, s.loggedParams = a.stmt, a.sub, a.text, a.params
	}
	return a, ""
}
