package envoy

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats/web"
)

// keys are the names that JSON logs have, in lower case, without a colon in front and
// with _ for -. Istio's are the first.
var keys = map[string]web.Field{
	"start_time": web.FieldTimeISO, "method": web.FieldMethod, "path": web.FieldURI, "response_code": web.FieldStatus,
	"bytes_sent": web.FieldBodyBytes, "user_agent": web.FieldUserAgent, "x_forwarded_for": web.FieldForwarded,
	"downstream_remote_address": web.FieldAddress,

	"timestamp": web.FieldTimeISO, "time": web.FieldTimeISO, "@timestamp": web.FieldTimeISO, "request_method": web.FieldMethod,
	"request_path": web.FieldURI, "original_path": web.FieldURI, "x_envoy_original_path": web.FieldURI, "x_envoy_origin_path": web.FieldURI,
	"status": web.FieldStatus, "status_code": web.FieldStatus, "response_bytes": web.FieldBodyBytes, "forwarded_for": web.FieldForwarded,
	"downstream_direct_remote_address": web.FieldAddress, "client_ip": web.FieldAddress, "client_address": web.FieldAddress, "remote_address": web.FieldAddress,
}

// own are names that only Envoy's logs have.
var own = map[string]bool{
	"response_flags": true, "response_code_details": true, "upstream_cluster": true, "upstream_host": true, "upstream_service_time": true,
	"downstream_remote_address": true, "downstream_local_address": true, "x_envoy_origin_path": true, "x_envoy_original_path": true,
	"upstream_transport_failure_reason": true, "connection_termination_details": true, "requested_server_name": true,
}

// jsonRecord tells a JSON record: time, method and status under names of Envoy's, and
// one at least that only Envoy has.
func jsonRecord(v gjson.Result) float64 {
	var f web.Fields
	marks := 0
	v.ForEach(func(key, value gjson.Result) bool {
		name := plain(key.Str)
		if own[name] {
			marks++
		}
		if k := keys[name]; k != web.FieldNone && !value.IsObject() {
			f.Set(k, "x")
		}
		return true
	})
	if marks == 0 || !f.HasTime() || !f.Has(web.FieldStatus) && !f.Has(web.FieldMethod) {
		return 0
	}
	return sure
}

// object takes the fields out of a JSON record.
func (r *reader) object(v gjson.Result) {
	f := &r.fields
	v.ForEach(func(key, value gjson.Result) bool {
		name, text := plain(key.Str), value.String()
		k := keys[name]
		switch {
		case r.names.actor != "" && r.names.actor == key.Str:
			f.Set(web.FieldActor, text)
		case r.names.session != "" && r.names.session == key.Str:
			f.Set(web.FieldSession, text)
		case r.names.address != "":
			if r.names.address == key.Str {
				f.Set(web.FieldAddress, text)
			} else if k != web.FieldAddress {
				set(f, k, name, text)
			}
		default:
			set(f, k, name, text)
		}
		return true
	})
}

// set sets a field that has several names: what the client asked for wins over what a
// rule made of it, and the address that Envoy found over that of the connection.
func set(f *web.Fields, k web.Field, name, text string) {
	if k == web.FieldNone || text == "" {
		return
	}
	wins := strings.HasPrefix(name, "x_envoy_") && text != "-" || name == "downstream_remote_address" || name == "start_time"
	if wins || !f.Has(k) || f.Get(k) == "-" {
		f.Set(k, text)
	}
}

func plain(key string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(key, ":")), "-", "_")
}
