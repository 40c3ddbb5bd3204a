// Package catalog is the one list of the log formats there are. The program's wiring
// gives it to those who read logs; it holds no state and is safe for concurrent
// use.
package catalog

import (
	"vigil/collectors/formats"
	"vigil/collectors/formats/anthropic"
	"vigil/collectors/formats/apache"
	"vigil/collectors/formats/auth0"
	"vigil/collectors/formats/awslb"
	"vigil/collectors/formats/azure"
	"vigil/collectors/formats/bedrock"
	"vigil/collectors/formats/botpress"
	"vigil/collectors/formats/caddy"
	"vigil/collectors/formats/cef"
	"vigil/collectors/formats/chatwoot"
	"vigil/collectors/formats/cloudtrail"
	"vigil/collectors/formats/cockroachdb"
	"vigil/collectors/formats/databricks"
	"vigil/collectors/formats/ecs"
	"vigil/collectors/formats/elasticsearch"
	"vigil/collectors/formats/envoy"
	"vigil/collectors/formats/gcp"
	"vigil/collectors/formats/googleworkspace"
	"vigil/collectors/formats/haproxy"
	"vigil/collectors/formats/intercom"
	"vigil/collectors/formats/keycloak"
	"vigil/collectors/formats/langfuse"
	"vigil/collectors/formats/librechat"
	"vigil/collectors/formats/litellm"
	"vigil/collectors/formats/m365"
	"vigil/collectors/formats/mapped"
	"vigil/collectors/formats/mongodb"
	"vigil/collectors/formats/mysql"
	"vigil/collectors/formats/native"
	"vigil/collectors/formats/nginx"
	"vigil/collectors/formats/ocsf"
	"vigil/collectors/formats/okta"
	"vigil/collectors/formats/openai"
	"vigil/collectors/formats/openwebui"
	"vigil/collectors/formats/otelgenai"
	"vigil/collectors/formats/panther"
	"vigil/collectors/formats/pgbouncer"
	"vigil/collectors/formats/postgresql"
	"vigil/collectors/formats/rasa"
	"vigil/collectors/formats/redis"
	"vigil/collectors/formats/s3access"
	"vigil/collectors/formats/salesforce"
	"vigil/collectors/formats/servicenow"
	"vigil/collectors/formats/slack"
	"vigil/collectors/formats/snowflake"
	"vigil/collectors/formats/supavisor"
	"vigil/collectors/formats/traefik"
	"vigil/collectors/formats/zendesk"
)

// All lists the formats, in the order in which equals win.
func All() []formats.Format {
	return []formats.Format{
		postgresql.New(), mysql.New(), mysql.NewMariaDB(), mongodb.New(), redis.New(), elasticsearch.New(), snowflake.New(), databricks.New(), pgbouncer.New(), supavisor.New(), cockroachdb.New(),
		salesforce.New(), zendesk.New(), intercom.New(), servicenow.New(), chatwoot.New(),
		rasa.New(), botpress.New(), otelgenai.New(), litellm.New(), langfuse.New(), bedrock.New(), openai.New(), anthropic.New(), openwebui.New(), librechat.New(),
		cloudtrail.New(), s3access.New(), gcp.New(), azure.New(),
		okta.New(), auth0.New(), keycloak.New(), m365.New(), googleworkspace.New(), slack.New(),
		nginx.Format(), apache.Format(), caddy.Format(), envoy.Format(), traefik.Format(), haproxy.Format(), awslb.New(),
		native.Format(), cef.Format(), ocsf.Format(), ecs.Format(), panther.Format(), mapped.Format(),
	}
}

// ByName returns the format that the configuration calls name. The error lists
// the names there are.
func ByName(name string) (formats.Format, error) { return formats.ByName(All(), name) }

// Detect returns the format of the sample, the first lines of an input, and how
// sure it is, from 0 to 1. When none fits the error names what was tried.
func Detect(sample []byte) (formats.Format, float64, error) { return formats.Choose(All(), sample) }
