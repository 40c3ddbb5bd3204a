package aws_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
)

func TestWhoAnARNStandsFor(t *testing.T) {
	t.Parallel()
	const sts = "arn:aws:sts::111122223333:assumed-role/"
	for arn, want := range map[string]vigil.Actor{
		"arn:aws:iam::111122223333:root":            {ID: "arn:aws:iam::111122223333:root", Kind: vigil.KindAdmin},
		"arn:aws:iam::111122223333:user/desk/maria": {ID: "arn:aws:iam::111122223333:user/desk/maria"},
		sts + "Support/maria":                       {ID: sts + "Support/maria", Role: "Support"},
		sts + "AWSReservedSSO_Support_0123456789abcdef/maria@example.com": {
			ID: sts + "AWSReservedSSO_Support_0123456789abcdef/maria@example.com", Role: "AWSReservedSSO_Support_0123456789abcdef", Kind: vigil.KindHuman},
		sts + "AWSServiceRoleForLexV2Bots/lex":                  {ID: sts + "AWSServiceRoleForLexV2Bots/lex", Role: "AWSServiceRoleForLexV2Bots", Kind: vigil.KindService},
		sts + "Web/i-0123456789abcdef0":                         {ID: sts + "Web", Role: "Web", Kind: vigil.KindService},
		sts + "Task/0123456789abcdef0123456789abcdef":           {ID: sts + "Task", Role: "Task", Kind: vigil.KindService},
		sts + "Pod/eks-bot-3f2504e0-4f89-11d3-9a0c-0305e82c330": {ID: sts + "Pod", Role: "Pod", Kind: vigil.KindService},
		sts + "Sync/botocore-session-1762075204":                {ID: sts + "Sync", Role: "Sync", Kind: vigil.KindService},
		sts + "Support/4915123456789@example.com":               {ID: sts + "Support/4915123456789@example.com", Role: "Support"},
		sts + "bot/answer-customer":                             {ID: sts + "bot/answer-customer", Role: "bot"},
		"nobody":                                                {ID: "nobody"},
		"arn:aws:iam":                                           {ID: "arn:aws:iam"},
	} {
		var a aws.Actors
		for range 2 { // the second time from memory
			if diff := cmp.Diff(want, a.Of(arn)); diff != "" {
				t.Errorf("%s: %s", arn, diff)
			}
		}
	}
}

func TestResourceName(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:dynamodb:eu-west-1:111122223333:table/Chats/index/byDay":     "Chats",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf": "prod/db",
		"arn:aws:s3:::chats": "chats",
		"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lex/desk:*": "/aws/lex/desk",
		"arn:aws:lambda:eu-west-1:111122223333:function:answer:7":       "answer",
		"arn:aws:ssm:eu-west-1:111122223333:parameter/prod/db":          "/prod/db",
		"arn:aws:rds:eu-west-1:111122223333:db:desk":                    "desk",
		"arn:aws:iam::111122223333:role/service-role/answer":            "service-role/answer",
		"arn:aws:connect:eu-west-1:111122223333:instance/1/contact/2":   "1/contact/2",
		"arn:aws:cloudtrail:eu-west-1:111122223333:trail/all":           "all",
		"chats": "chats",
		"arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-haiku-4-5-v1": "anthropic.claude-haiku-4-5-v1",
	} {
		if got := aws.ResourceName(arn); got != want {
			t.Errorf("%s: %q, want %q", arn, got, want)
		}
	}
}

func TestWhoseDataAKeyNames(t *testing.T) {
	t.Parallel()
	k, err := aws.NewKeys(&formats.Mapping{Paths: []formats.Path{
		{Template: "chats/{tenant}/*/{conversation}.json.gz", Class: "chat"},
		{Template: "uploads/{subject}/**", Class: "file"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[[2]string]vigil.Event{
		{"chats", "acme/2026/c-17.json.gz"}: {ResourceTenant: "acme", Conversation: "c-17", ResourceClass: "chat"},
		{"uploads", "cust-4/a/b.png"}:       {Subjects: []string{"cust-4"}, SubjectCount: 1, ResourceClass: "file"},
		{"others", "cust-4/a"}:              {},
		{"chats", ""}:                       {},
	} {
		var e vigil.Event
		k.Fill(&e, path[0], path[1])
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("%v: %s", path, diff)
		}
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]vigil.Outcome{
		"": vigil.OutcomeSuccess, "AccessDenied": vigil.OutcomeDenied, "Client.UnauthorizedOperation": vigil.OutcomeDenied, "AccessDeniedException": vigil.OutcomeDenied,
		"NoSuchKey": vigil.OutcomeError, "ThrottlingException": vigil.OutcomeError, "VpceAccessDenied": vigil.OutcomeDenied, "NotAuthorizedException": vigil.OutcomeDenied,
	} {
		if got := aws.Outcome(code); got != want {
			t.Errorf("%q: %s, want %s", code, got, want)
		}
	}
}
