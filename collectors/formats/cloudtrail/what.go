package cloudtrail

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
	"vigil/collectors/formats/record"
)

// aliases are the names of one store in the records of its parts.
var aliases = map[string]string{
	"runtime.lex": "lex", "lexv2": "lex", "runtime-v2-lex": "lex", "models-v2-lex": "lex", "models.lex": "lex",
	"bedrock-runtime": "bedrock", "bedrock-agent": "bedrock", "bedrock-agent-runtime": "bedrock",
	"connect-contact-lens": "connect", "connectparticipant": "connect", "participant.connect": "connect",
	"profile": "customer-profiles", "cases": "connect-cases", "s3express": "s3", "macie2": "macie",
}

// what fills in what was done to what, and gives the event out.
func (r *reader) what(rec *record.Record, e *vigil.Event, emit func(*vigil.Event)) {
	f := &r.f
	service := strings.TrimSuffix(strings.TrimSuffix(f.source.Str, ".cn"), ".amazonaws.com")
	if a, ok := aliases[service]; ok {
		service = a
	}
	service = rec.Clean(service, 64)
	name := rec.String(f.name, 128)
	if service == "lambda" {
		name = withoutVersion(name)
	}
	o := lookUp(service, name, f.readOnly.Type == gjson.True || f.readOnly.Str == "true")
	e.Store, e.Shape, e.Action, e.ResourceClass = service, rec.Clean(service+":"+name, 200), o.action, o.class
	switch service {
	case "sts":
		if o.action == vigil.ActionLogin && e.Outcome == vigil.OutcomeSuccess {
			r.assumed(e.Actor)
		}
	case "dynamodb":
		if r.dynamodb(rec, e, name, emit) {
			return
		}
	case "s3":
		r.s3(rec, e, name)
	}
	if e.Resource == "" {
		e.Resource = o.resource
	}
	if e.Resource == "" {
		e.Resource = r.resource(rec, service)
	}
	if e.Conversation == "" {
		e.Conversation = r.conversation(rec, service)
	}
	for _, k := range limits {
		if n := r.param(k); n.Exists() {
			e.Limit = formats.Count(n.String())
			break
		}
	}
	r.special(rec, e, service, name)
	emit(e)
}

var limits = []string{"limit", "maxResults", "maxItems", "max-keys", "maxKeys"}

// param is a value of requestParameters.
func (r *reader) param(name string) gjson.Result {
	if !r.f.request.IsObject() {
		return gjson.Result{}
	}
	return r.f.request.Get(name)
}

// named are the parameters that name what a service's call is about, the first wins.
var named = map[string][]string{
	"s3":             {"bucketName"},
	"dynamodb":       {"tableName", "tableArn", "resourceArn", "globalTableName", "backupArn", "exportArn"},
	"lex":            {"botId", "botName", "name"},
	"secretsmanager": {"secretId", "name"},
	"ssm":            {"name", "path", "names.0", "documentName", "instanceId"},
	"logs":           {"logGroupName", "logGroupIdentifier", "logGroupNames.0", "logGroupIdentifiers.0", "resourceIdentifier"},
	"bedrock":        {"modelId", "knowledgeBaseId", "agentId", "flowIdentifier", "guardrailIdentifier"},
	"rds":            {"dBSnapshotIdentifier", "dBClusterSnapshotIdentifier", "dBInstanceIdentifier", "dBClusterIdentifier", "sourceArn"},
	"kms":            {"keyId"},
	"athena":         {"workGroup", "queryExecutionId"},
	"iam":            {"userName", "roleName", "groupName", "policyArn"},
	"sts":            {"roleArn"},
	"connect-cases":  {"domainId"},
	"cloudtrail":     {"name", "trailName", "eventDataStore"},
}

// resource is the name of what a call is about, without account and type.
func (r *reader) resource(rec *record.Record, service string) string {
	clean := func(v gjson.Result) string {
		if v.Type != gjson.String || v.Str == "" || v.Str == hidden || strings.HasPrefix(v.Str, "*") {
			return ""
		}
		return rec.Clean(aws.ResourceName(v.Str), 256)
	}
	for _, k := range named[service] {
		if s := clean(r.param(k)); s != "" {
			return s
		}
	}
	found := ""
	if r.f.request.IsObject() {
		r.f.request.ForEach(func(key, value gjson.Result) bool {
			k := key.Str
			if k == "name" || strings.HasSuffix(k, "Name") || strings.HasSuffix(k, "Id") || strings.HasSuffix(k, "Identifier") ||
				strings.HasSuffix(k, "Arn") || strings.HasSuffix(k, "ARN") {
				found = clean(value)
			}
			return found == ""
		})
	}
	if found != "" {
		return found
	}
	return clean(r.f.resources.Get("0.ARN"))
}

// conversation is the chat that a call names.
func (r *reader) conversation(rec *record.Record, service string) string {
	keys := []string(nil)
	switch service {
	case "lex", "bedrock":
		keys = []string{"sessionId", "sessionIdentifier", "userId"}
	case "connect":
		keys = []string{"contactId", "initialContactId", "contactArn"}
	}
	for _, k := range keys {
		if v := r.param(k); v.Type == gjson.String && v.Str != hidden {
			s := rec.Clean(v.Str, 256)
			if i := strings.LastIndexByte(s, '/'); i >= 0 {
				s = s[i+1:]
			}
			if s != "" {
				return strings.Clone(s)
			}
		}
	}
	return ""
}

// s3 reads the parameters of a call to S3.
func (r *reader) s3(rec *record.Record, e *vigil.Event, name string) {
	bucket, key := r.param("bucketName").Str, r.param("key").Str
	if n := r.f.additional.Get("bytesTransferredOut"); n.Exists() {
		e.Bytes = formats.Count(n.String())
	}
	switch name {
	case "GetObject", "GetObjectTorrent":
		if e.Outcome == vigil.OutcomeSuccess {
			e.Rows = 1
		}
	case "CopyObject", "UploadPartCopy":
		// Data leaves the bucket it is copied from.
		from := strings.TrimPrefix(r.param("x-amz-copy-source").String(), "/")
		if b, k, ok := strings.Cut(from, "/"); ok && b != "" && b != bucket {
			e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "bucket"}
			bucket, key, e.Bytes = b, k, vigil.Unknown
		}
	}
	e.Resource = rec.Clean(aws.ResourceName(bucket), 256)
	if key != "" {
		r.keys.Fill(e, e.Resource, key)
	}
}

// special fills in what a few calls tell of where data goes, and of the records of
// accesses that somebody switches off.
func (r *reader) special(rec *record.Record, e *vigil.Event, service, name string) {
	switch service + ":" + name {
	case "ec2:ModifySnapshotAttribute", "ec2:ModifyImageAttribute", "rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute":
		raw := r.f.request.Raw
		switch {
		case strings.Contains(raw, `"all"`):
			e.Destination = &vigil.Destination{Kind: "public"}
		case strings.Contains(raw, `"add"`) || strings.Contains(raw, `"valuesToAdd"`):
			e.Destination = &vigil.Destination{Kind: "account"}
		default:
			e.Action = vigil.ActionConfigure
		}
		if strings.Contains(raw, `"remove"`) && !strings.Contains(raw, `"add"`) {
			e.Action, e.Destination = vigil.ActionConfigure, nil
		}
	case "rds:ModifyDBInstance", "rds:ModifyDBCluster":
		if r.param("cloudwatchLogsExportConfiguration.disableLogTypes.0").Exists() {
			e.ResourceClass = classAudit
		}
	case "elasticloadbalancing:ModifyLoadBalancerAttributes":
		r.param("attributes").ForEach(func(_, a gjson.Result) bool {
			if a.Get("key").Str == "access_logs.s3.enabled" && a.Get("value").String() == "false" {
				e.ResourceClass = classAudit
			}
			return true
		})
	case "connect:UpdateInstanceAttribute":
		if strings.HasSuffix(r.param("attributeType").Str, "_LOGS") && r.param("value").String() == "false" {
			e.ResourceClass = classAudit
		}
	case "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy":
		if strings.Contains(strings.ToLower(e.Resource), "cloudtrail") {
			e.ResourceClass = classAudit
		}
	case "bedrock:GetAgentMemory", "bedrock:DeleteAgentMemory":
		if id := r.param("memoryId"); id.Type == gjson.String && id.Str != hidden {
			e.Resource = rec.Clean(e.Resource+"/"+id.Str, 256)
		}
	case "athena:StartQueryExecution", "athena:CreateNamedQuery", "redshift-data:ExecuteStatement", "rds-data:ExecuteStatement":
		r.statement(e, "queryString", "sql")
	}
	if e.Destination == nil && (e.Action == vigil.ActionExport || e.Action == vigil.ActionShare) {
		switch {
		case strings.Contains(name, "Snapshot") || name == "CreateBackup" || name == "CreateImage":
			e.Destination = &vigil.Destination{Kind: "snapshot"}
		case r.param("s3Bucket").Exists() || r.param("s3BucketName").Exists() || r.param("destination").Exists():
			e.Destination = &vigil.Destination{Kind: "bucket"}
		}
	}
	if e.Destination != nil {
		if region := r.param("destinationRegion"); region.Str != "" {
			e.Destination.Region = rec.Clean(region.Str, 32)
		}
	}
}

// maxSQL bounds the text of a statement that is read; what is longer is cut.
const maxSQL = 128 << 10

// statement reads SQL in a parameter.
func (r *reader) statement(e *vigil.Event, params ...string) bool {
	for _, p := range params {
		text := r.param(p)
		if text.Type != gjson.String || text.Str == "" || text.Str == hidden {
			continue
		}
		if r.sql == nil {
			r.sql = r.statements().Reader(r.opts.Mapping)
		}
		for _, res := range r.sql.Read(text.Str[:min(len(text.Str), maxSQL)], nil) {
			if res.Action == "" {
				continue
			}
			outcome := e.Outcome
			shape := e.Shape
			res.Fill(e)
			e.Outcome, e.Shape = outcome, shape+" "+res.Shape
			return true
		}
	}
	return false
}

// withoutVersion takes the version off the names of Lambda's calls: Invoke20150331v2.
func withoutVersion(name string) string {
	i := strings.IndexAny(name, "0123456789")
	if i > 0 && len(name)-i >= 8 {
		return name[:i]
	}
	return name
}
