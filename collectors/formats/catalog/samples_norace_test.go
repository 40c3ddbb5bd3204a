//go:build !race

package catalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/formats/formatstest"
)

// kinds says, for each folder of real logs, which format its files are.
var kinds = map[string]string{
	"anthropic_audit": "anthropic", "apache": "apache", "auth0": "auth0", "aws_bedrock_invocation": "bedrock", "aws_cloudtrail": "cloudtrail",
	"aws_dynamodb": "cloudtrail", "aws_lb_gateway": "aws-lb", "aws_s3_access": "s3-access", "aws_s3_cloudtrail": "cloudtrail", "azure_activity": "azure",
	"azure_cosmosdb": "azure", "azure_mysql": "mysql", "azure_openai": "azure", "azure_signin": "azure", "caddy": "caddy", "cef": "cef",
	"databricks_audit": "databricks", "elasticsearch_audit": "elasticsearch", "envoy": "envoy", "gcp_audit": "gcp", "gcp_bigquery": "gcp",
	"gcp_firestore": "gcp", "google_workspace": "google-workspace", "keycloak": "keycloak", "langfuse_traces": "langfuse", "litellm": "litellm",
	"m365": "m365", "mariadb_audit": "mariadb", "mongodb": "mongodb", "mongodb_atlas_audit": "mongodb", "mongodb_audit": "mongodb",
	"mysql_enterprise_audit": "mysql", "mysql_slow_error": "mysql", "nginx": "nginx", "ocsf": "ocsf", "ocsf_like_panther_audit": "panther", "okta": "okta", "openai_audit": "openai",
	"opensearch_audit": "elasticsearch", "otel_genai": "otel-genai", "pgaudit": "postgresql", "pgbouncer": "pgbouncer", "postgresql": "postgresql",
	"rasa": "rasa", "redis": "redis", "salesforce": "salesforce", "servicenow": "servicenow", "slack": "slack", "snowflake": "snowflake",
	"traefik": "traefik", "zendesk": "zendesk",
}

// others are files that are of another format than their folder, or of none, with the
// reason.
var others = map[string]string{
	"pgaudit/ibm-cockroachdb-tests-a.log":                                 "cockroachdb",
	"postgresql/crowdsec-supavisor-logs-supavisor-logs.log":               "supavisor",
	"cef/elastic-cef-log-test-cef.json":                                   ": its accesses have no time",
	"cef/elastic-cef-log-test-netscaler.json":                             ": its records have no time",
	"ocsf_like_panther_audit/panther-panther_saml_modified.json":          ": its records have no time",
	"azure_openai/elastic-azure_openai-metrics-test-openai-request.json":  ":metrics",
	"google_workspace/panther-gsuite_google_access.json":                  ":neither actor nor event is in it",
	"m365/panther-microsoft_graph_passthrough.json":                       ":alerts, no audit log",
	"okta/panther-okta_ad_agent_auth_zscore_anomaly.json":                 ":rows of a warehouse's query",
	"okta/panther-okta_ad_agent_token_abuse_behavioral.json":              ":rows of a warehouse's query",
	"okta/panther-okta_skeleton_key_bypass_behavioral.json":               ":rows of a warehouse's query",
	"okta/panther-okta_swa_bulk_access_behavioral.json":                   ":rows of a warehouse's query",
	"okta/panther-okta_support_reset.json":                                ":a record without time",
	"google_workspace/panther-google_workspace_many_docs_downloaded.json": ":records without time",
	"google_workspace/panther-gsuite_advanced_protection.json":            ":records without time",
	"google_workspace/panther-gsuite_drive_overly_visible.json":           ":records without time",
	"google_workspace/panther-gsuite_gov_attack.json":                     ":records without time",
	"google_workspace/panther-gsuite_group_banned_user.json":              ":records without time",
	"google_workspace/panther-gsuite_login_type.json":                     ":records without time",
	"google_workspace/panther-gsuite_mobile_device_compromise.json":       ":records without time",
	"google_workspace/panther-gsuite_suspicious_logins.json":              ":records without time",
	"google_workspace/panther-gsuite_two_step_verification.json":          ":records without time",
	"google_workspace/panther-gsuite_user_suspended.json":                 ":records without time",
	"slack/panther-slack_app_access_expanded.json":                        ":records without time",
	"slack/panther-slack_dlp_modified.json":                               ":records without time",
	"slack/panther-slack_ekm_config_changed.json":                         ":records without time",
	"slack/panther-slack_ekm_unenrolled.json":                             ":records without time",
	"slack/panther-slack_legal_hold_policy_modified.json":                 ":records without time",
	"slack/panther-slack_mfa_settings_changed.json":                       ":records without time",
	"slack/panther-slack_org_created.json":                                ":records without time",
	"slack/panther-slack_potentially_malicious_file_shared.json":          ":records without time",
	"slack/panther-slack_service_owner_transferred.json":                  ":records without time",

	"databricks_audit/ibm-databricks-tests-a.log":                                 ":a record whose text was cut into lines",
	"databricks_audit/panther-databricks_access_token_revoked.json":               ":records without time",
	"databricks_audit/panther-databricks_group_created.json":                      ":records without time",
	"databricks_audit/panther-databricks_non_sso_login.json":                      ":records without time",
	"databricks_audit/panther-databricks_user_password_changed.json":              ":records without time",
	"elasticsearch_audit/ibm-elasticsearch-tests-a.log":                           ":holds what another product makes of a record",
	"mongodb/elastic-mongodb_atlas-alert-test-alert-logs.json":                    ":alerts",
	"mongodb/elastic-mongodb_atlas-process-test-process-metrics.json":             ":metrics",
	"mongodb_audit/ibm-documentdb-aws-tests-a.log":                                ":records that are cut off, or have no time",
	"mysql_slow_error/crowdsec-mariadb-logs-mariadb-logs.log":                     "mariadb:its error log",
	"mysql_slow_error/elastic-mysql-slowlog-test-mariadb-10-1-21.log":             "mariadb:its slow log",
	"mysql_slow_error/elastic-mysql-slowlog-test-mariadb-10-2-12.log":             "mariadb:its slow log",
	"mysql_slow_error/elastic-mysql-slowlog-test-mariadb-10-3-13.log":             "mariadb:its slow log",
	"opensearch_audit/ibm-opensearch-tests-a.log":                                 ":a record without time and user",
	"aws_cloudtrail/otrf-a-AWS_S3_HoneyBucketLogs.csv":                            ":a table that somebody's script made of some fields",
	"aws_cloudtrail/panther-aws_cloudtrail_ses_enumeration.json":                  ":holds no records",
	"aws_cloudtrail/panther-aws_cloudtrail_password_spraying.json":                ":records without time",
	"aws_s3_cloudtrail/ibm-s3-tests-a.log":                                        ":dumps of Logstash",
	"aws_s3_access/panther-aws_s3_access_ip_allowlist.json":                       ":records of two fields",
	"aws_s3_access/panther-aws_s3_unauthenticated_access.json":                    ":records of two fields",
	"aws_cloudtrail/panther-aws_ec2_ebs_encryption_disabled.json":                 ":records without time or actor",
	"aws_cloudtrail/panther-aws_secretsmanager_retrieve_secrets_multiregion.json": ":records without time",
	"gcp_audit/panther-gcp_iam_roles_update_privilege_escalation.json":            ":parts of records",
	"gcp_audit/panther-gcp_iam_service_account_key_create.json":                   ":records that name nobody",
	"gcp_audit/panther-gcp_privilege_escalation_by_deployments_create.json":       ":records that name nobody",
	"gcp_bigquery/ibm-pubsub-bigtable-tests-a.log":                                ":a part of a record",

	"langfuse_traces/langfuse-test-beeai-2025-08-01.chatml.json":                    rendered,
	"langfuse_traces/langfuse-test-crewai-2025-07-11.chatml.json":                   rendered,
	"langfuse_traces/langfuse-test-csharp-agent-with-gemini-2026-03-09.chatml.json": rendered,
	"langfuse_traces/langfuse-test-llamaindex-2025-06-05.chatml.json":               rendered,
	"langfuse_traces/langfuse-test-microsoft-agent-2025-12-17.chatml.json":          rendered,
	"langfuse_traces/langfuse-test-openai-agents-2025-09-30.chatml.json":            rendered,
	"langfuse_traces/langfuse-test-pydantic-ai-2025-06-06.chatml.json":              rendered,
	"langfuse_traces/langfuse-test-pydantic-ai-with-gemini-2025-12-24.chatml.json":  rendered,
}

const rendered = ":what a viewer makes of the messages within a trace, without times and actors"

// TestLogsOfManySystems reads real logs of many systems, where they lie beside the project: the
// right format is found by looking, and next to nothing is set aside.
func TestLogsOfManySystems(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "..", "shared", "logs")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Skipf("NOT RUN: the real logs are not there: %v", err)
	}
	known := map[string]formats.Format{}
	for _, f := range catalog.All() {
		known[f.Name()] = f
	}
	var files, right, events, aside int
	var wrong []string
	for _, folder := range folders {
		want := kinds[folder.Name()]
		if known[want] == nil {
			continue
		}
		names, _ := filepath.Glob(filepath.Join(root, folder.Name(), "*"))
		slices.Sort(names)
		for _, name := range names {
			key := folder.Name() + "/" + filepath.Base(name)
			want := want
			if other, ok := others[key]; ok {
				if want, _, _ = strings.Cut(other, ":"); known[want] == nil {
					continue // of no format, with the reason behind the colon
				}
			}
			if strings.HasSuffix(name, "-expected.json") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files++
			got, sure, _ := catalog.Detect(text[:min(len(text), formats.MaxSample)])
			if got != nil && got.Name() == want {
				right++
			} else {
				found := "none"
				if got != nil {
					found = fmt.Sprintf("%s (%.2f)", got.Name(), sure)
				}
				wrong = append(wrong, fmt.Sprintf("%s: %s, not %s (%.2f)", key, found, want, known[want].Detect(text[:min(len(text), formats.MaxSample)])))
			}
			es, errs := formatstest.Decode(t, known[want], formats.Options{Source: "s", File: "f"}, string(text))
			events += len(es)
			aside += len(errs)
			if len(errs) > 0 {
				t.Logf("%s: %d events, %d set aside: %v", key, len(es), len(errs), errs[0])
			}
		}
	}
	t.Logf("%d files, %d of them told by looking; %d events, %d records set aside", files, right, events, aside)
	for _, w := range wrong {
		t.Log(w)
	}
	if float64(right) < 0.95*float64(files) {
		t.Errorf("the format of %d of %d files was found, fewer than 95%%", right, files)
	}
	if float64(aside) > 0.005*float64(events) {
		t.Errorf("%d records were set aside beside %d events, more than 0.5%%", aside, events)
	}
}
