package elasticsearch_test

import (
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats/elasticsearch"
	"vigil/collectors/formats/formatstest"
)

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"elasticsearch_audit", "opensearch_audit"},
		Broken: map[string]int{
			"ibm-elasticsearch-tests-a.log": 1, // what another product makes of a record
			"ibm-opensearch-tests-a.log":    1, // without time and user
		},
		Disagree: func(field string, e *vigil.Event, x formatstest.Expected) string {
			switch {
			case field == "time" && x.Time.Sub(e.Time) == 2*time.Hour:
				return "a time without a zone is read in that of the machine; here in UTC"
			case field == "time" && x.Time.Sub(e.Time) == 4*time.Hour:
				return "the record names its zone, which is not heeded there"
			case e.Actor.Kind == vigil.KindAnonymous && (e.Action == vigil.ActionGrant || e.Action == vigil.ActionConfigure):
				return "the user there is whom a change is about; who made it is not in the record, nor that it failed"
			case field == "action" && e.Action == vigil.ActionLogin:
				return "a login is of the category database there"
			case field == "action" && e.Action == vigil.ActionImpersonate:
				return "acting in another's name is of the category database there"
			}
			return ""
		},
	}.Check(t, elasticsearch.New())
}
