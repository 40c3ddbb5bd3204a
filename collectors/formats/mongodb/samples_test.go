package mongodb_test

import (
	"testing"

	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mongodb"
)

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"mongodb", "mongodb_audit", "mongodb_atlas_audit"},
		Foreign: map[string]string{
			"elastic-mongodb_atlas-alert-test-alert-logs.json":        "alerts on metrics, no access log",
			"elastic-mongodb_atlas-process-test-process-metrics.json": "metrics",
		},
		Broken: map[string]int{"ibm-documentdb-aws-tests-a.log": 5}, // cut off, or with no time
	}.Check(t, mongodb.New())
}
