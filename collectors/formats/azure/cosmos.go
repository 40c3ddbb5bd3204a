package azure

import (
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

// The bounds of what waits for its other half.
const (
	maxHeld = 256
	heldFor = 2 * time.Minute
)

// cosmosAPIs are the categories of Cosmos DB's other interfaces.
var cosmosAPIs = map[string]bool{"mongorequests": true, "cassandrarequests": true, "gremlinrequests": true, "tableapirequests": true}

// cosmosDeeds are operations of the data plane and of the interfaces.
var cosmosDeeds = map[string]vigil.Action{
	"read": vigil.ActionRead, "head": vigil.ActionRead, "readfeed": vigil.ActionSearch, "headfeed": vigil.ActionSearch, "query": vigil.ActionSearch, "sqlquery": vigil.ActionSearch,
	"create": vigil.ActionWrite, "upsert": vigil.ActionWrite, "replace": vigil.ActionWrite, "patch": vigil.ActionWrite, "update": vigil.ActionWrite, "batch": vigil.ActionWrite,
	"delete": vigil.ActionDelete, "execute": vigil.ActionExecute, "executejavascript": vigil.ActionExecute, "recreate": vigil.ActionWrite,
	// Mongo's commands, and their names in the older wire protocol.
	"find": vigil.ActionSearch, "getmore": vigil.ActionSearch, "aggregate": vigil.ActionSearch, "count": vigil.ActionSearch, "distinct": vigil.ActionSearch,
	"insert": vigil.ActionWrite, "findandmodify": vigil.ActionWrite, "drop": vigil.ActionDelete, "op_query": vigil.ActionSearch, "op_get_more": vigil.ActionSearch,
	"listcollections": vigil.ActionSearch, "listdatabases": vigil.ActionSearch, "saslstart": vigil.ActionLogin, "saslcontinue": "", "authenticate": vigil.ActionLogin, "logout": vigil.ActionLogout,
	"ping": "", "ismaster": "", "hello": "", "buildinfo": "", "getlog": "", "whatsmyuri": "", "endsessions": "", "getlasterror": "", "connectionstatus": "", "replsetgetstatus": "",
	"getnonce": "", "serverstatus": "", "hostinfo": "", "queryplan": "", "getqueryplan": "", "getpartitionkeyranges": "",
	// Cassandra's statements.
	"select": vigil.ActionSearch,
}

// half is one half of a query: what the request's record tells, or what the statistics do.
type half struct {
	id    string
	at    time.Time
	event *vigil.Event
	stats bool
}

// cosmos reads Cosmos DB's records and joins requests with the queries' statistics.
type cosmos struct {
	queries *queries
	// waiting is in the order in which the halves came.
	waiting []half
	byID    map[string]int // how many of an id wait: 0 or 1
}

func newCosmos(p *statement.Parser, m *formats.Mapping) *cosmos {
	return &cosmos{queries: newQueries(p, m), byID: map[string]int{}}
}

func (c *cosmos) read(a entry, category string, emit func(*vigil.Event)) error {
	stats := category == "queryruntimestatistics"
	operation := strings.ToLower(a.operation())
	action, known := cosmosDeeds[operation]
	switch {
	case stats:
		action = vigil.ActionSearch
	case !known:
		action = formats.Verb(a.operation())
	case action == "":
		return nil
	}
	if strings.HasPrefix(strings.ToLower(a.prop("requestResourceType")), "partitionkeyrange") {
		return nil // clients look where the data lies, all the time
	}
	e, err := a.event()
	if err != nil {
		return err
	}
	e.Action = action
	database := a.prop("databaseName", "databasename")
	collection := a.prop("collectionName", "collectionname")
	e.Resource = first(collection, database, "account")
	e.Shape = strings.TrimSpace(operation + " " + strings.ToLower(a.prop("requestResourceType")))
	e.IP = formats.Address(a.prop("clientIpAddress", "partialipaddress", "clientIPAddress"))
	e.UserAgent = a.prop("userAgent", "useragent")
	cosmosActor(a, e)
	if err := nobody(e); err != nil {
		if stats || cosmosAPIs[category] {
			// These tell no identity: the caller is whoever has the key.
			e.Actor.ID, e.Actor.Kind = first(e.Store, "account")+" key", vigil.KindService
		} else {
			return err
		}
	}
	id := a.prop("activityId")
	if stats {
		e.Rows = formats.Count(a.prop("numberofrowsreturned"))
		e.Outcome = vigil.OutcomeSuccess
		if s := strings.ToLower(a.prop("queryexecutionstatus")); s != "" && s != "finished" && s != "success" {
			e.Outcome = vigil.OutcomeError
		}
		c.queries.read(collection, a.p.Get("querytext"), e)
		return c.join(a, half{id: id, at: e.Time, event: e, stats: true}, emit)
	}
	if action.Discloses() {
		e.Bytes = formats.Count(a.prop("responseLength"))
	}
	if operation == "read" && strings.EqualFold(a.prop("requestResourceType"), "document") {
		e.Rows = 1
	}
	e.Outcome = formats.OutcomeOfStatus(formats.Count(a.prop("statusCode", "httpstatusCode")))
	if code := a.prop("errorCode"); code != "" && cosmosAPIs[category] {
		switch code {
		case "0":
			e.Outcome = vigil.OutcomeSuccess
		case "13", "18", "16500":
			e.Outcome = vigil.OutcomeDenied
		default:
			e.Outcome = vigil.OutcomeError
		}
	}
	c.queries.document(collection, a.prop("requestResourceId"), e)
	if operation == "query" || operation == "sqlquery" {
		return c.join(a, half{id: id, at: e.Time, event: e}, emit)
	}
	if id != "" {
		e.ID = id + "-" + hexOf(formats.RecordHash(a.r.Text))
	}
	emit(e)
	return nil
}

// cosmosActor says who asked: the principal of Entra, the user of a resource token, or
// the kind of key.
func cosmosActor(a entry, e *vigil.Event) {
	if p := a.prop("aadPrincipalId"); p != "" {
		e.Actor.ID = p
		return
	}
	if u := a.prop("resourceTokenUserRid"); u != "" {
		e.Actor.ID = "resource token " + u
		return
	}
	if u := a.prop("userId"); u != "" {
		e.Actor.ID = u
		return
	}
	if k := a.prop("keyType", "authTokenType"); k != "" && !strings.EqualFold(k, "unknown") {
		e.Actor.ID, e.Actor.Kind = k, vigil.KindService
	}
}

// join gives out a query when both its halves are there, and what has waited too long.
func (c *cosmos) join(a entry, h half, emit func(*vigil.Event)) error {
	c.late(h.at, emit)
	if h.id == "" {
		emit(h.event)
		return nil
	}
	if c.byID[h.id] > 0 {
		for i, w := range c.waiting {
			if w.id != h.id || w.stats == h.stats {
				continue
			}
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			delete(c.byID, h.id)
			if h.stats {
				merge(w.event, h.event)
				emit(w.event)
				return nil
			}
			merge(h.event, w.event)
			h.event.Origin, h.event.ID = w.event.Origin, h.id
			emit(h.event)
			return nil
		}
		// Another partition's share of the same query: it has rows of its own.
		for i, w := range c.waiting {
			if w.id == h.id && w.stats && h.stats {
				if w.event.Rows >= 0 && h.event.Rows >= 0 {
					c.waiting[i].event.Rows = min(w.event.Rows+h.event.Rows, 1<<53)
				}
				return nil
			}
		}
	}
	if h.event.ID = h.id; h.stats {
		h.event.ID += ".stats" // the request, if it comes too late for both to be one, is another event
	}
	if !a.r.Hold(h.event) {
		return nil
	}
	c.waiting = append(c.waiting, h)
	c.byID[h.id]++
	if len(c.waiting) > maxHeld {
		c.release(1, emit)
	}
	return nil
}

// merge puts what the statistics tell into the request's event.
func merge(request, stats *vigil.Event) {
	request.Rows, request.Shape = stats.Rows, stats.Shape
	request.Fields, request.Limit, request.Unbounded = stats.Fields, stats.Limit, stats.Unbounded
	request.Subjects, request.SubjectCount = stats.Subjects, stats.SubjectCount
	if stats.Conversation != "" {
		request.Conversation = stats.Conversation
	}
	if stats.Action == vigil.ActionExport {
		request.Action = stats.Action
	}
}

// late gives out what has waited for longer than heldFor, by the log's own time.
func (c *cosmos) late(now time.Time, emit func(*vigil.Event)) {
	n := 0
	for n < len(c.waiting) && now.Sub(c.waiting[n].at) > heldFor {
		n++
	}
	c.release(n, emit)
}

// release gives out the first n halves as they are.
func (c *cosmos) release(n int, emit func(*vigil.Event)) {
	for _, w := range c.waiting[:n] {
		delete(c.byID, w.id)
		emit(w.event)
	}
	c.waiting = append(c.waiting[:0], c.waiting[n:]...)
}

func (c *cosmos) flush(emit func(*vigil.Event)) { c.release(len(c.waiting), emit) }

func (c *cosmos) held() (int64, bool) {
	if len(c.waiting) == 0 {
		return 0, false
	}
	at := c.waiting[0].event.Origin.Offset
	for _, w := range c.waiting {
		at = min(at, w.event.Origin.Offset)
	}
	return at, true
}

// cosmosControl reads the control plane: who may do what with the account.
func (a entry) cosmosControl() (*vigil.Event, error) {
	operation := a.operation()
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	low := strings.ToLower(operation)
	e.Action, e.Shape, e.Resource = vigil.ActionConfigure, operation, first(a.prop("apiKindResourceType"), "account")
	removes := strings.Contains(low, "delete")
	switch {
	case strings.Contains(low, "roleassignment") || strings.Contains(low, "roledefinition"):
		e.Resource = "role"
		if !removes {
			e.Action = vigil.ActionGrant
		}
		if p := a.prop("roleAssignmentPrincipalId"); p != "" {
			e.Subjects, e.SubjectCount = []string{p}, 1
		}
	case strings.Contains(low, "listkeys") || strings.Contains(low, "readonlykeys") || strings.Contains(low, "connectionstrings"):
		e.Action, e.Resource = vigil.ActionRead, "keys"
	case strings.Contains(low, "regeneratekey"):
		e.Resource = "keys"
	case removes:
		e.Action = vigil.ActionDelete
	case strings.HasPrefix(low, "read") || strings.Contains(low, "get"):
		e.Action = vigil.ActionRead
	}
	e.ID = ""
	e.IP = formats.Address(first(a.prop("clientIpAddress"), a.top("callerIpAddress")))
	e.Actor.ID = first(a.prop("aadPrincipalId", "callerPrincipalId", "caller"), a.top("caller"))
	if e.Actor.ID == "" && e.IP == "" {
		// The control plane's records tell no caller; the activity log does.
		e.Actor.ID, e.Actor.Kind = "control plane", vigil.KindService
	}
	if err := nobody(e); err != nil {
		return nil, err
	}
	e.Outcome = formats.OutcomeOfStatus(formats.Count(a.prop("httpstatusCode", "statusCode")))
	if e.Outcome == vigil.OutcomeUnspecified {
		switch strings.ToLower(a.prop("result")) {
		case "ok", "accepted":
			e.Outcome = vigil.OutcomeSuccess
		}
	}
	return e, nil
}
