package gcp

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// bigQuery reads what BigQuery tells: BigQueryAuditMetadata under metadata, or the older
// AuditData under serviceData. A job is told of when it is done; that it was begun, and
// the tables that it read, are entries of their own and no further accesses.
func (r *reader) bigQuery(x *entry, e *vigil.Event) (told bool) {
	m := x.metadata
	old := x.p.Get("serviceData")
	switch {
	case m.Get("jobChange.job").Exists():
		if after := m.Get("jobChange.after").Str; after != "" && after != "DONE" && e.Outcome == vigil.OutcomeSuccess {
			return false
		}
		r.job(x, e, m.Get("jobChange.job"))
		return true
	case m.Get("jobInsertion").Exists():
		job := m.Get("jobInsertion.job")
		if state := job.Get("jobStatus.jobState").Str; state != "DONE" && e.Outcome == vigil.OutcomeSuccess {
			return false
		}
		r.job(x, e, job)
		return true
	case m.Get("tableDataRead").Exists():
		reason := m.Get("tableDataRead.reason").Str
		if reason == "JOB" || reason == "QUERY_REQUEST" {
			return false
		}
		e.Action = vigil.ActionRead
		if reason == "CREATE_READ_SESSION" {
			e.Action = vigil.ActionExport
		}
		m.Get("tableDataRead.fields").ForEach(func(_, f gjson.Result) bool {
			e.Fields = append(e.Fields, x.rec.String(f, 128))
			return len(e.Fields) < 64
		})
		r.table(e, e.Resource)
		return true
	case m.Get("tableDataChange").Exists():
		if m.Get("tableDataChange.reason").Str == "JOB" || m.Get("tableDataChange.reason").Str == "QUERY" {
			return false
		}
		e.Action = vigil.ActionWrite
		r.table(e, e.Resource)
		return true
	case old.Get("jobCompletedEvent.job").Exists():
		r.job(x, e, old.Get("jobCompletedEvent.job"))
		return true
	case old.Get("jobInsertRequest").Exists() || old.Get("jobQueryRequest").Exists() || old.Get("jobGetQueryResultsRequest").Exists() || old.Get("jobGetQueryResultsResponse").Exists():
		if e.Outcome == vigil.OutcomeSuccess {
			return false
		}
		if q := old.Get("jobInsertRequest.resource"); q.Exists() {
			r.job(x, e, q)
		} else if q := old.Get("jobQueryRequest.query").Str; q != "" {
			r.statement(x, e, googleSQL(q), nil)
		}
		return true
	case old.Get("tableDataListRequest").Exists():
		if n := old.Get("tableDataListRequest.maxResults"); n.Exists() {
			e.Limit = formats.Count(n.String())
		}
		r.table(e, e.Resource)
	case m.Get("tableDeletion").Exists() || m.Get("datasetDeletion").Exists():
		e.Action = vigil.ActionDelete
	case m.Get("jobDeletion").Exists():
		e.Action, e.Resource, e.ResourceClass = vigil.ActionDelete, "query_job", classAudit
	}
	r.policy(x, e)
	return true
}

// job reads a job, in either form.
func (r *reader) job(x *entry, e *vigil.Event, job gjson.Result) {
	config, stats := job.Get("jobConfig"), job.Get("jobStats")
	if !config.Exists() {
		config, stats = job.Get("jobConfiguration"), job.Get("jobStatistics")
	}
	if err := job.Get("jobStatus.errorResult"); err.Exists() || job.Get("jobStatus.error.code").Int() != 0 {
		if e.Outcome == vigil.OutcomeSuccess {
			e.Outcome = vigil.OutcomeError
			if c := err.Get("code").Int() + job.Get("jobStatus.error.code").Int(); c == 7 || c == 16 || c == 403 {
				e.Outcome = vigil.OutcomeDenied
			}
		}
	}
	either := func(v gjson.Result, names ...string) gjson.Result {
		for _, n := range names {
			if f := v.Get(n); f.Exists() {
				return f
			}
		}
		return gjson.Result{}
	}
	switch {
	case either(config, "extractConfig", "extract").Exists():
		c := either(config, "extractConfig", "extract")
		e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "bucket"}
		e.Resource = x.rec.Clean(tableName(c.Get("sourceTable")), 128)
		e.Shape = "bigquery:extract"
	case either(config, "loadConfig", "load").Exists():
		e.Action = vigil.ActionWrite
		e.Resource = x.rec.Clean(tableName(either(config, "loadConfig", "load").Get("destinationTable")), 128)
		e.Shape = "bigquery:load"
	case either(config, "tableCopyConfig", "tableCopy").Exists():
		c := either(config, "tableCopyConfig", "tableCopy")
		e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "table"}
		e.Resource = x.rec.Clean(tableName(c.Get("sourceTables.0")), 128)
		e.Shape = "bigquery:copy"
	default:
		r.queryJob(x, e, either(config, "queryConfig", "query"), stats)
		return
	}
	r.table(e, e.Resource)
}

// queryJob reads a query: its text, the tables that it read, how many rows came out.
func (r *reader) queryJob(x *entry, e *vigil.Event, query, stats gjson.Result) {
	var tables []string
	for _, k := range [...]string{"queryStats.referencedTables", "referencedTables"} {
		stats.Get(k).ForEach(func(_, t gjson.Result) bool {
			if n := tableName(t); n != "" {
				tables = append(tables, n)
			}
			return len(tables) < 256
		})
	}
	if x.method != "" {
		e.Shape = "bigquery:query"
	}
	read := r.statement(x, e, googleSQL(query.Get("query").Str), tables)
	kind := query.Get("statementType").Str
	switch {
	case kind == "SELECT":
		if !e.Action.Discloses() || e.Action == vigil.ActionExecute || !read {
			e.Action = vigil.ActionRead
		}
	case kind == "EXPORT_DATA":
		e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "bucket"}
	case read:
	case kind == "" && selects(query.Get("query").Str): // in the older dialect, which is read by its first word alone
		e.Action = vigil.ActionRead
	case kind == "INSERT" || kind == "UPDATE" || kind == "MERGE":
		e.Action = vigil.ActionWrite
	case kind == "DELETE" || kind == "TRUNCATE_TABLE":
		e.Action = vigil.ActionDelete
	case strings.HasPrefix(kind, "CREATE_") || strings.HasPrefix(kind, "ALTER_") || strings.HasPrefix(kind, "DROP_"):
		e.Action = vigil.ActionConfigure
	}
	if len(tables) == 0 && !read {
		if t := tableName(query.Get("destinationTable")); t != "" && kind != "SELECT" {
			e.Resource = x.rec.Clean(t, 128)
		}
	}
	if e.Action.Discloses() {
		for _, k := range [...]string{"queryStats.outputRowCount", "queryOutputRowCount"} {
			if n := stats.Get(k); n.Exists() {
				e.Rows = formats.Count(n.String())
				break
			}
		}
	}
}

func selects(sql string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	return strings.EqualFold(first, "select")
}

// tableName is a table's own name: of projects/p/datasets/d/tables/t, or of an object.
func tableName(v gjson.Result) string {
	if v.IsObject() {
		return v.Get("tableId").Str
	}
	return after(v.Str+"/", "/tables/")
}
