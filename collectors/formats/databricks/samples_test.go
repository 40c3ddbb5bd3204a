//go:build !race

package databricks_test

import (
	"testing"

	"vigil/collectors/formats/databricks"
	"vigil/collectors/formats/formatstest"
)

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"databricks_audit"},
		Broken: map[string]int{
			"ibm-databricks-tests-a.log":                    4, // one record, its text cut into lines
			"panther-databricks_access_token_revoked.json":  3, // without a time, as the next
			"panther-databricks_group_created.json":         3,
			"panther-databricks_non_sso_login.json":         6,
			"panther-databricks_user_password_changed.json": 4,
		},
	}.Check(t, databricks.New())
}
