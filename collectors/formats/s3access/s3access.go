// Package s3access reads the server access log of Amazon S3: a line of text for each
// request to a bucket, of 18 fields at first and 26 by now, or the same as JSON with the
// column names that tables of such logs have.
//
// Lines stand alone, nothing is joined. Who asks writes part of a line: the path, the
// referrer and the user agent may hold quotes and spaces. What counts stands before the
// latter two, and a path holds no space, so that a forged line stays within its field.
package s3access

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "s3-access"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Amazon S3 server access log", Group: formats.GroupClouds,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Yes, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Delivered when S3 finds time, mostly within hours, and not every request for certain; CloudTrail's data events are the surer source.",
		},
		Text: func(line []byte) float64 {
			if l, ok := parse(string(line)); ok && l.plausible() {
				return 0.95
			}
			return 0
		},
		JSON: func(v gjson.Result) float64 {
			if l := fromJSON(v); l.bucket != "" && l.operation != "" && l.requestID != "" && l.time != "" {
				return 0.95
			}
			return 0
		},
		New: func(opts formats.Options) (record.Reader, error) {
			keys, err := aws.NewKeys(opts.Mapping)
			return &reader{opts: opts, keys: keys}, err
		},
	})
}

type reader struct {
	opts   formats.Options
	keys   aws.Keys
	actors aws.Actors
}

// Read makes the event of one line.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	var l line
	if rec.JSON.Exists() {
		l = fromJSON(rec.JSON)
	} else {
		var ok bool
		if l, ok = parse(string(rec.Text)); !ok {
			return formats.Errorf("format", "the line is no server access log of S3: a field is missing")
		}
	}
	e := rec.Event()
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", l.time)
	if err != nil {
		var ok bool
		if at, ok = formats.Time(l.time, nil); !ok {
			return formats.ErrTime("the time")
		}
	}
	e.Time = at
	if l.requestID != "" {
		// One request may write several lines, and a line may be delivered twice.
		e.ID = formats.Clean(l.requestID, 64) + "." + strconv.FormatUint(formats.RecordHash(rec.Text), 16)
	}
	if e.Store == "" {
		e.Store = "s3"
	}
	e.IP = rec.Clean(formats.Address(l.ip), 64)
	e.UserAgent = rec.Clean(l.agent, 512)
	e.Actor = r.actor(rec, &l, e.IP)
	e.Resource = rec.Clean(l.bucket, 128)
	e.Shape = rec.Clean("s3:"+l.operation, 128)
	e.Outcome = l.outcome()
	o := operation(l.operation)
	e.Action, e.ResourceClass = o.action, o.class
	if l.bytes != absent {
		e.Bytes = formats.Count(l.bytes)
	}
	switch {
	case o.object && e.Outcome == vigil.OutcomeSuccess && l.status != "304":
		e.Rows = 1
		if strings.HasPrefix(l.operation, "REST.COPY.") {
			if to := l.addressed(); to != "" && to != l.bucket {
				e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "bucket"}
			}
		}
	case o.action == vigil.ActionSearch:
		e.Limit = l.limit()
	}
	if l.key != "" {
		r.keys.Fill(e, e.Resource, decoded(l.key))
	}
	emit(e)
	return nil
}

// actor is who asked: an ARN, the canonical id of an account, a service, or nobody.
func (r *reader) actor(rec *record.Record, l *line, ip string) vigil.Actor {
	var who vigil.Actor
	switch {
	case l.requester == "" && ip == "":
		return vigil.Actor{ID: "anonymous", Kind: vigil.KindAnonymous}
	case l.requester == "":
		return vigil.Actor{ID: ip, Kind: vigil.KindAnonymous}
	case strings.HasPrefix(l.requester, "arn:"):
		who = r.actors.Of(l.requester)
	case strings.HasPrefix(l.requester, "svc:"):
		who = vigil.Actor{ID: rec.Clean(l.requester[len("svc:"):], 256), Kind: vigil.KindService}
	case l.requester == "AmazonS3":
		who = vigil.Actor{ID: l.requester, Kind: vigil.KindService}
	default:
		who = vigil.Actor{ID: rec.Clean(l.requester, 256)}
	}
	if who.ID == "" {
		who = vigil.Actor{ID: "anonymous", Kind: vigil.KindAnonymous}
	}
	if l.auth == "QueryString" {
		// The actor has signed the address; whoever has it may use it.
		who.App = "presigned URL"
	}
	return who
}

// outcome is what the status says, or the error code without one. What S3 does by itself
// has neither and has succeeded.
func (l *line) outcome() vigil.Outcome {
	if n, err := strconv.ParseInt(l.status, 10, 64); err == nil {
		if o := formats.OutcomeOfStatus(n); o != vigil.OutcomeError {
			return o
		}
		if o := aws.Outcome(l.code); o != vigil.OutcomeSuccess {
			return o
		}
		return vigil.OutcomeError
	}
	if l.code != "" {
		return aws.Outcome(l.code)
	}
	return vigil.OutcomeUnspecified
}

// addressed is the bucket that the request's address names: as the host's first part, or
// the path's.
func (l *line) addressed() string {
	if name, rest, ok := strings.Cut(l.host, ".s3"); ok && (rest == "" || rest[0] == '.' || rest[0] == '-') {
		return name
	}
	_, rest, ok := strings.Cut(l.uri, " /")
	if !ok || !strings.HasPrefix(l.host, "s3") {
		return ""
	}
	return rest[:strings.IndexFunc(rest+"/", func(c rune) bool { return c == '/' || c == '?' || c == ' ' })]
}

// limit is how many names a list asks for.
func (l *line) limit() int64 {
	_, n, ok := strings.Cut(l.uri, "max-keys=")
	if !ok {
		return vigil.Unknown
	}
	return formats.Count(n[:strings.IndexAny(n+"&", "& ")])
}

// decoded is a key without its escapes, of which S3 writes two layers.
func decoded(key string) string {
	for range 2 {
		if !strings.ContainsAny(key, "%+") {
			break
		}
		plain, err := url.QueryUnescape(key)
		if err != nil {
			break
		}
		key = plain
	}
	return key
}
