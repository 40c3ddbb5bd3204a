package mysql

import (
	"strings"

	"vigil"
	"vigil/collectors/formats/statement"
)

// verbs are statements that PostgreSQL does not have, or reads otherwise: by the first
// word, or the first two. The empty action is no access.
var verbs = map[string]vigil.Action{
	"use": "", "show": "", "describe": "", "desc": "", "help": "", "flush": "", "lock": "", "unlock": "", "xa": "", "do": "", "get": "",
	"signal": "", "resignal": "", "cache": "", "checksum": "", "commit": "", "rollback": "", "savepoint": "", "release": "", "begin": "",
	"start transaction": "", "deallocate": "", "execute": "", "prepare": "", "analyze": "", "check": "", "optimize": "", "repair": "",

	"handler": vigil.ActionRead,
	"load":    vigil.ActionWrite, "import": vigil.ActionWrite,
	"call":        vigil.ActionExecute,
	"rename user": vigil.ActionGrant, "create user": vigil.ActionGrant, "drop user": vigil.ActionGrant, "alter user": vigil.ActionGrant,
	"create role": vigil.ActionGrant, "drop role": vigil.ActionGrant, "grant": vigil.ActionGrant, "revoke": vigil.ActionGrant,
	"set password": vigil.ActionGrant, "set default": vigil.ActionGrant,
	"set role": vigil.ActionImpersonate,
	"install":  vigil.ActionConfigure, "uninstall": vigil.ActionConfigure, "change": vigil.ActionConfigure, "purge": vigil.ActionConfigure,
	"reset": vigil.ActionConfigure, "start": vigil.ActionConfigure, "stop": vigil.ActionConfigure, "shutdown": vigil.ActionConfigure,
	"restart": vigil.ActionConfigure, "rename": vigil.ActionConfigure, "create": vigil.ActionConfigure, "alter": vigil.ActionConfigure, "drop": vigil.ActionConfigure,
	"kill": vigil.ActionOther, "binlog": vigil.ActionWrite,
}

// guards are the settings that say what is logged and who may do what: to change one is
// worth to be known.
var guards = []string{
	"server_audit", "audit_log", "general_log", "slow_query_log", "log_output", "log_bin", "sql_log_off", "sql_log_bin", "long_query_time",
	"log_slow", "event_scheduler", "local_infile", "secure_file_priv", "read_only", "super_read_only", "init_connect", "require_secure_transport", "skip_grant",
}

// own are the databases of the server itself.
func own(table string) bool {
	schema, _, ok := strings.Cut(table, ".")
	if !ok {
		return false
	}
	switch schema {
	case "mysql", "information_schema", "performance_schema", "sys", "rdsadmin":
		return true
	}
	return false
}

// read says what each statement of a text does. The slice is valid until the next call.
func read(r *statement.Reader, sql string) []statement.Result {
	p := translate(sql)
	results := r.Read(p.sql, nil)
	for i := range results {
		res := &results[i]
		mend(res, &p, sql, len(results) == 1)
	}
	return results
}

// mend corrects what PostgreSQL's reading does not know of MySQL.
func mend(res *statement.Result, p *plain, sql string, alone bool) {
	if alone {
		action, ok := verbs[p.verb+" "+p.about]
		if !ok {
			action, ok = verbs[p.verb]
		}
		if ok && (p.verb != "create" || res.Action != vigil.ActionWrite && res.Action != vigil.ActionExport) {
			res.Action = action
		}
		switch p.verb {
		case "set":
			setting(res, p, sql)
		case "handler":
			if res.Resource == "" && p.about != "" {
				res.Resource = p.about
			}
		case "shutdown", "install", "uninstall", "change", "purge", "kill":
			res.Resource = p.verb
		}
	}
	if p.outfile && (res.Action == vigil.ActionRead || res.Command == "SELECT") {
		res.Action, res.Destination = vigil.ActionExport, "server-file"
	}
	if len(res.Qualified) == 0 {
		return
	}
	for _, t := range res.Qualified {
		if !own(t) {
			return
		}
	}
	res.Class, res.Unbounded = statement.ClassSystem, false
}

// setting reads SET: a role, or a setting that guards something.
func setting(res *statement.Result, p *plain, sql string) {
	switch res.Action {
	case vigil.ActionImpersonate:
		role := strings.ToLower(strings.Trim(strings.TrimSpace(after(sql, p.about)), "`'\"; "))
		switch role {
		case "none", "default", "all":
			res.Action = ""
		}
		res.Resource = "role"
		return
	case vigil.ActionGrant, vigil.ActionRead:
		return
	}
	res.Action = ""
	low := strings.ToLower(sql[:min(len(sql), 4096)])
	for _, g := range guards {
		if i := strings.Index(low, g); i > 0 && strings.Contains(low[i:], "=") {
			end := i
			for end < len(low) && (isWordByte(low[end]) || low[end] == '.') {
				end++
			}
			res.Action, res.Resource = vigil.ActionConfigure, low[i:end]
			return
		}
	}
}

// after is what follows a word, in any case.
func after(sql, word string) string {
	if i := strings.Index(strings.ToLower(sql), word); i >= 0 {
		return sql[min(len(sql), i+len(word)):]
	}
	return ""
}
