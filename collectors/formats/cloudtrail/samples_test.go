//go:build !race

package cloudtrail_test

import (
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats/cloudtrail"
	"vigil/collectors/formats/formatstest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"aws_cloudtrail", "aws_dynamodb", "aws_s3_cloudtrail"},
		Foreign: map[string]string{
			"otrf-a-AWS_S3_HoneyBucketLogs.csv":           "a table that somebody's script made of some fields",
			"panther-aws_cloudtrail_ses_enumeration.json": "its tests hold no records",
			"ibm-s3-tests-a.log":                          "dumps of Logstash with one record among them",
		},
		Broken: map[string]int{ // records that were cut down to what a test needs: no time, or nobody
			"panther-aws_cloudtrail_password_spraying.json": 4, "panther-aws_ec2_ebs_encryption_disabled.json": 2,
			"panther-aws_secretsmanager_retrieve_secrets_multiregion.json": 2, "panther-aws_ec2_startup_script_change.json": 2, "panther-aws_software_discovery.json": 1, "panther-aws_vpce_s3_external_ip.json": 1,
		},
		Disagree: func(field string, e *vigil.Event, x formatstest.Expected) string {
			if field == "actor" && (strings.HasSuffix(e.Actor.ID, "/"+x.User.Name) || e.Actor.Role == x.User.Name) {
				return "the ARN names that user or role, and is one actor in all logs of AWS and all accounts"
			}
			return ""
		},
	}.Check(t, cloudtrail.New())
}
