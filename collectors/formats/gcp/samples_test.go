//go:build !race

package gcp_test

import (
	"testing"

	"vigil"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/gcp"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"gcp_audit", "gcp_bigquery", "gcp_cloudsql", "gcp_firestore"},
		Foreign: map[string]string{
			"ibm-pubsub-mysql-readme-01.txt": "a filter, no log", "ibm-pubsub-mysql-readme-02.txt": "a filter, no log", "ibm-pubsub-mysql-readme-03.txt": "a filter, no log",
			"ibm-pubsub-bigtable-tests-a.log":                        "a part of a record",
			"panther-gcp_iam_roles_update_privilege_escalation.json": "parts of records",
			"ibm-pubsub-postgresql-file-logs_example.log":            "a dump of Logstash",
		},
		Broken: map[string]int{
			// Nobody, or no time: cut down to what a test needs.
			"panther-gcp_iam_service_account_key_create.json": 2, "panther-gcp_privilege_escalation_by_deployments_create.json": 2, "panther-gcp_user_added_to_iap_protected_service.json": 1,
			"panther-gcp_destructive_queries.json": 1,
			// JSON that lost braces, or has too many.
			"ibm-pubsub-bigquery-tests-a.log": 2, "ibm-pubsub-spanner-tests-a.log": 2, "ibm-pubsub-firestore-tests-a.log": 3, "ibm-pubsub-firebase-realtime-file-sample-log.json": 1,
		},
		Disagree: func(field string, e *vigil.Event, _ formatstest.Expected) string {
			if field == "action" && e.Action == vigil.ActionSearch {
				return "a search changes no configuration, whatever service it asks"
			}
			return ""
		},
	}.Check(t, gcp.New())
}
