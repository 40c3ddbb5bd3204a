package statement

import (
	"strings"

	"vigil"
)

// utility reads the statements that are no query.
func (w *walker) utility(kind string, n node) {
	p := w.p
	p.command = commandOf(kind)
	switch kind {
	case "TransactionStmt", "DeallocateStmt", "ListenStmt", "NotifyStmt", "UnlistenStmt", "CheckPointStmt",
		"DiscardStmt", "ConstraintsSetStmt", "VariableShowStmt", "ClosePortalStmt", "FetchStmt":
		return // no access to anything
	case "VariableSetStmt":
		w.setting(n)
	case "AlterSystemStmt":
		p.action = vigil.ActionConfigure
		p.resource = strings.ToLower(text(object(n, "setstmt"), "name"))
	case "TruncateStmt":
		p.action = vigil.ActionDelete
		for _, r := range nodes(n, "relations") {
			_, rv := inner(r)
			p.addTable(tableName(rv))
		}
	case "GrantStmt", "GrantRoleStmt", "CreateRoleStmt", "AlterRoleStmt", "AlterRoleSetStmt", "DropRoleStmt",
		"AlterDefaultPrivilegesStmt", "ReassignOwnedStmt", "DropOwnedStmt", "AlterOwnerStmt":
		p.action = vigil.ActionGrant
		relations(n, p)
		if r := text(n, "role"); r != "" {
			p.resource = strings.ToLower(r)
		} else {
			p.resource = strings.ToLower(text(object(n, "role"), "rolename"))
		}
		if kind == "GrantStmt" && !flag(n, "is_grant") {
			p.command = "REVOKE"
		}
	case "DoStmt", "LoadStmt":
		p.action = vigil.ActionExecute
	case "CallStmt":
		p.action = vigil.ActionExecute
		call := object(n, "funccall")
		w.call(call)
		if len(w.functions) > 0 {
			p.resource = w.functions[0]
		}
	case "LockStmt", "VacuumStmt", "ReindexStmt", "ClusterStmt", "RefreshMatViewStmt":
		p.action = vigil.ActionOther
		relations(n, p)
	default:
		p.action = vigil.ActionConfigure
		relations(n, p)
		for _, o := range nodes(n, "objects") {
			if k, l := inner(o); k == "List" {
				p.addTable(strings.ToLower(strings.Join(names(nodes(l, "items")), ".")))
			}
		}
	}
}

// commandOf turns a node's name into a command tag: CreateRoleStmt is "CREATE ROLE".
func commandOf(kind string) string {
	var b strings.Builder
	for i, c := range strings.TrimSuffix(kind, "Stmt") {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	tag := strings.ToUpper(b.String())
	switch tag {
	case "VARIABLE SET":
		return "SET"
	case "VARIABLE SHOW":
		return "SHOW"
	case "TRUNCATE":
		return "TRUNCATE TABLE"
	case "CREATE":
		return "CREATE TABLE"
	}
	return tag
}

// setting reads SET: a change of identity, a change of what is audited, or
// nothing of interest.
func (w *walker) setting(n node) {
	p := w.p
	set := strings.ToLower(text(n, "name"))
	change := text(n, "kind") == "VAR_SET_VALUE"
	value := ""
	if args := nodes(n, "args"); len(args) > 0 {
		if _, c := inner(args[0]); object(c, "sval") != nil {
			value = text(object(c, "sval"), "sval")
		}
	}
	switch set {
	case "role", "session_authorization":
		if !change || strings.EqualFold(value, "none") || strings.EqualFold(value, "default") {
			return
		}
		p.action = vigil.ActionImpersonate
		p.resource = "role"
		if _, tagged := slotOfString(value); !tagged && value != "" {
			p.resource = strings.ToLower(value)
		}
	case "session_replication_role", "row_security", "log_statement", "log_connections", "log_disconnections",
		"log_min_duration_statement", "log_min_error_statement", "log_min_messages", "log_duration":
		p.action, p.resource = vigil.ActionConfigure, set
	default:
		if strings.HasPrefix(set, "pgaudit.") {
			p.action, p.resource = vigil.ActionConfigure, set
		}
	}
}

// functionsOnly judges a SELECT without tables: harmless calls are no access, a
// function of the application's or one that reaches outside is an execution.
func (w *walker) functionsOnly() {
	p := w.p
	p.action = ""
	for _, fn := range w.functions {
		if harmless(strings.TrimPrefix(fn, "pg_catalog.")) {
			continue
		}
		p.action, p.resource = vigil.ActionExecute, fn
		return
	}
}

// harmless names the built-in functions that clients and health checks call and
// that reach no data.
func harmless(fn string) bool {
	switch fn {
	case "version", "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timezone", "age",
		"current_setting", "set_config", "current_database", "current_schema", "current_schemas", "current_user", "session_user",
		"nextval", "currval", "lastval", "setval", "txid_current", "pg_current_xact_id", "txid_current_if_assigned",
		"pg_backend_pid", "pg_is_in_recovery", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn", "pg_current_wal_lsn",
		"pg_last_xact_replay_timestamp", "pg_postmaster_start_time", "pg_conf_load_time", "pg_database_size", "pg_client_encoding",
		"pg_try_advisory_lock", "pg_advisory_lock", "pg_advisory_unlock", "pg_advisory_xact_lock", "pg_try_advisory_xact_lock",
		"pg_advisory_unlock_all", "pg_encoding_to_char", "pg_get_userbyid", "pg_sleep", "pg_notify", "pg_wal_lsn_diff", "pg_blocking_pids",
		"to_char", "to_timestamp", "to_date", "date_part", "date_trunc", "extract", "make_interval", "format", "concat", "concat_ws", "coalesce",
		"lower", "upper", "btrim", "length", "char_length", "substring", "substr", "replace", "split_part", "md5", "sha256", "encode", "decode",
		"random", "gen_random_uuid", "uuid_generate_v4", "abs", "ceil", "floor", "round", "greatest", "least", "generate_series", "unnest", "array_agg",
		"count", "sum", "min", "max", "avg", "jsonb_build_object", "json_build_object", "to_json", "to_jsonb", "inet_client_addr", "inet_server_addr", "inet_server_port":
		return true
	// MySQL's.
	case "database", "schema", "connection_id", "last_insert_id", "found_rows", "row_count", "sleep", "uuid", "uuid_short", "unix_timestamp", "from_unixtime",
		"get_lock", "release_lock", "release_all_locks", "is_free_lock", "is_used_lock", "benchmark", "if", "ifnull", "nullif", "isnull", "sysdate", "curdate", "curtime",
		"utc_timestamp", "utc_date", "date_add", "date_sub", "date_format", "str_to_date", "datediff", "timestampdiff", "system_user", "charset", "collation",
		"rand", "hex", "unhex", "sha1", "sha2", "crc32", "json_extract", "json_object", "json_array", "json_unquote", "json_valid", "cast", "convert", "format_bytes",
		"ps_current_thread_id", "ps_thread_id", "master_pos_wait", "wait_for_executed_gtid_set", "gtid_subset", "gtid_subtract", "current_role":
		return true
	}
	return false
}
