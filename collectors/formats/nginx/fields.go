package nginx

import (
	"vigil/collectors/formats"
	"vigil/collectors/formats/web"
)

// variables are nginx's names for what is read; every other is skipped.
var variables = map[string]web.Field{
	"remote_addr": web.FieldAddress, "http_x_forwarded_for": web.FieldForwarded,
	"proxy_add_x_forwarded_for": web.FieldForwarded, "remote_user": web.FieldUser, "time_local": web.FieldTimeLocal,
	"time_iso8601": web.FieldTimeISO, "msec": web.FieldMsec, "request": web.FieldRequest, "request_method": web.FieldMethod,
	"request_uri": web.FieldURI, "uri": web.FieldPath, "document_uri": web.FieldPath, "args": web.FieldArgs, "query_string": web.FieldArgs,
	"status": web.FieldStatus, "body_bytes_sent": web.FieldBodyBytes, "bytes_sent": web.FieldBytes, "http_user_agent": web.FieldUserAgent,
	"server_name": web.FieldServerName,
}

// jsonKeys are the names that JSON logs use beside nginx's own.
var jsonKeys = map[string]web.Field{
	"remote_ip": web.FieldAddress, "client_ip": web.FieldAddress, "clientip": web.FieldAddress, "client": web.FieldAddress,
	"ip": web.FieldAddress, "remote_address": web.FieldAddress, "source_ip": web.FieldAddress,
	"x_forwarded_for": web.FieldForwarded, "x-forwarded-for": web.FieldForwarded, "xff": web.FieldForwarded, "forwarded_for": web.FieldForwarded,
	"user": web.FieldUser, "user_name": web.FieldUser, "auth_user": web.FieldUser,
	"@timestamp": web.FieldTimeISO, "timestamp": web.FieldTimeISO, "time": web.FieldTimeISO, "datetime": web.FieldTimeISO, "date": web.FieldTimeISO, "ts": web.FieldTimeISO,
	"method": web.FieldMethod, "verb": web.FieldMethod, "http_method": web.FieldMethod,
	"path": web.FieldURI, "url": web.FieldURI, "request_path": web.FieldURI, "query": web.FieldArgs,
	"status_code": web.FieldStatus, "code": web.FieldStatus, "response": web.FieldStatus, "response_code": web.FieldStatus, "response_status": web.FieldStatus,
	"bytes": web.FieldBodyBytes, "size": web.FieldBodyBytes, "body_bytes": web.FieldBodyBytes, "response_size": web.FieldBodyBytes, "response_bytes": web.FieldBodyBytes,
	"user_agent": web.FieldUserAgent, "agent": web.FieldUserAgent, "useragent": web.FieldUserAgent, "http_agent": web.FieldUserAgent,
}

// chosen are the variables that the configuration picks for a meaning.
type chosen struct{ actor, session, address string }

// of tells what a variable means. A variable may mean two things, a user's
// header its actor and nothing else, so the chosen ones come first.
func (c *chosen) of(name string) web.Field {
	switch name {
	case "":
		return web.FieldNone
	case c.actor:
		return web.FieldActor
	case c.session:
		return web.FieldSession
	case c.address:
		return web.FieldAddress
	}
	f := variables[name]
	if f == web.FieldAddress && c.address != "" {
		return web.FieldNone
	}
	return f
}

// errField is a value that a log_format promises and a line does not have.
func errField(name string) error {
	return formats.Errorf("format", "the line ends or differs where $%s should stand: compare the log_format with nginx's configuration", name)
}
