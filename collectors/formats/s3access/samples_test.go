package s3access_test

import (
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/s3access"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"aws_s3_access"},
		Foreign: map[string]string{
			"panther-aws_s3_access_ip_allowlist.json":    "records of two fields, without time",
			"panther-aws_s3_unauthenticated_access.json": "records of two fields, without time",
		},
		Disagree: func(field string, e *vigil.Event, x formatstest.Expected) string {
			if field != "actor" {
				return ""
			}
			if who := x.Client.User.ID; strings.HasPrefix(who, e.Actor.ID+"/") {
				return "the session's name is made up by a machine: the actor is the role"
			} else if who == "svc:"+e.Actor.ID {
				return "CloudTrail calls the same service so"
			}
			return ""
		},
	}.Check(t, s3access.New())
}
