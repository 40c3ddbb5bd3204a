package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"gocloud.dev/pubsub"
	_ "gocloud.dev/pubsub/awssnssqs" // opens awssqs://
	_ "gocloud.dev/pubsub/azuresb"   // opens azuresb://
	_ "gocloud.dev/pubsub/gcppubsub" // opens gcppubsub://

	"vigil"
	"vigil/collectors/formats"
)

// maxMessages bounds the messages that wait to be acknowledged.
const maxMessages = 64

// queue is where the store tells of new objects. The zero value tells of none.
type queue struct {
	sub      *pubsub.Subscription
	owned    bool
	messages chan *pubsub.Message
	// failed gets the error that ended the receiving.
	failed chan error
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// listen begins to receive messages.
func (c *Collector) listen(ctx context.Context) (*queue, error) {
	if !c.notified() {
		return &queue{cancel: func() {}}, nil
	}
	q := &queue{sub: c.opts.Subscription, messages: make(chan *pubsub.Message, maxMessages), failed: make(chan error, 1)}
	if q.sub == nil {
		var err error
		if q.sub, err = pubsub.OpenSubscription(ctx, c.cfg.Notifications); err != nil {
			return nil, c.explainQueue("open", err)
		}
		q.owned = true
	}
	ctx, q.cancel = context.WithCancel(ctx)
	q.done.Go(func() {
		for {
			m, err := q.sub.Receive(ctx)
			if err != nil {
				if ctx.Err() == nil {
					q.failed <- c.explainQueue("receive from", err)
				}
				return
			}
			select {
			case q.messages <- m:
			case <-ctx.Done():
				giveBack(m)
				return
			}
		}
	})
	return q, nil
}

// more returns m and the messages that are there already.
func (q *queue) more(m *pubsub.Message) []*pubsub.Message {
	all := []*pubsub.Message{m}
	for len(all) < maxMessages {
		select {
		case m := <-q.messages:
			all = append(all, m)
		default:
			return all
		}
	}
	return all
}

// close ends the receiving and gives back what was not dealt with.
func (q *queue) close() {
	q.cancel()
	if q.sub == nil {
		return
	}
	q.done.Wait()
	for {
		select {
		case m := <-q.messages:
			giveBack(m)
			continue
		default:
		}
		break
	}
	if q.owned {
		ctx, cancel := context.WithTimeout(context.Background(), lastHandOver)
		defer cancel()
		_ = q.sub.Shutdown(ctx) // what was acknowledged and did not arrive comes again, and is known
	}
}

func giveBack(m *pubsub.Message) {
	if m.Nackable() {
		m.Nack()
	}
}

func (c *Collector) explainQueue(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	name := "the queue"
	if u, perr := url.Parse(c.cfg.Notifications); perr == nil && u.Host != "" {
		name = u.Scheme + "://" + u.Host + u.Path
	}
	remedy := "look at the url under notifications, and give vigil "
	switch strings.SplitN(name, ":", 2)[0] {
	case "awssqs":
		remedy += "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on it"
	case "gcppubsub":
		remedy += "roles/pubsub.subscriber on it"
	default:
		remedy += `"Azure Service Bus Data Receiver" on it`
	}
	return &failure{fmt.Sprintf("%s %s: %s: %s", what, name, plain(err), remedy), err}
}

// notified reads the objects that messages tell of, and acknowledges those once what is in
// the objects was accepted.
func (r *run) notified(ctx context.Context, messages []*pubsub.Message) error {
	err := r.takeAll(ctx, messages)
	if err == nil && ctx.Err() == nil {
		r.lapses()
		err = r.hand(ctx)
	}
	for _, m := range messages {
		if err != nil || ctx.Err() != nil {
			giveBack(m)
		} else {
			m.Ack()
		}
	}
	return err
}

func (r *run) takeAll(ctx context.Context, messages []*pubsub.Message) error {
	for _, m := range messages {
		refs, err := references(m.Body, m.Metadata)
		if err != nil {
			r.touch()
			r.batch.Quarantined = append(r.batch.Quarantined, vigil.Quarantined{
				Source: r.c.cfg.Source, File: "notification", Time: time.Now().UTC(), Code: "notification", Reason: err.Error(),
				Size: int64(len(m.Body)), Hash: formats.RecordHash(m.Body),
			})
			continue
		}
		for _, ref := range refs {
			if ctx.Err() != nil {
				return nil
			}
			if err := r.take(ctx, ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// take reads the object of a reference, where it is one to read and was not.
func (r *run) take(ctx context.Context, ref reference) error {
	if ref.bucket != r.c.place.name {
		if r.others++; r.others == 1 {
			r.c.log.Warn("the queue tells of objects of another bucket, which are left", "source", r.c.cfg.Source)
		}
		return nil
	}
	if !r.c.under(ref.key) || !r.c.wanted(ref.key) || ref.version != "" && r.mem.read(ref.key, ref.version) {
		return nil
	}
	o, err := r.store.stat(ctx, ref.key)
	if err != nil {
		return r.fault(ctx, object{key: ref.key, version: ref.version, changed: time.Now()}, err)
	}
	if r.mem.read(o.key, o.version) || r.waits(o) {
		return nil
	}
	return r.read(ctx, o)
}

// reference is an object that a message tells of.
type reference struct{ bucket, key, version string }

var errNotification = errors.New("the message is no notification of a new object: send this queue nothing else")

// references reads a message: an event of S3 as such, through SNS or through EventBridge,
// CloudTrail's own message, one of Cloud Storage, whose attributes tell, or one of Event
// Grid, as its own or as a CloudEvent. Messages about other than new objects name none.
func references(body []byte, attributes map[string]string) ([]reference, error) {
	if kind := attributes["eventType"]; kind != "" && attributes["bucketId"] != "" {
		if kind != "OBJECT_FINALIZE" {
			return nil, nil
		}
		return []reference{{attributes["bucketId"], attributes["objectId"], attributes["objectGeneration"]}}, nil
	}
	if list := body; len(list) > 0 && list[0] == '[' {
		var events []json.RawMessage
		if err := json.Unmarshal(list, &events); err != nil {
			return nil, errNotification
		}
		var out []reference
		for _, e := range events {
			refs, err := one(e, 0)
			if err != nil {
				return nil, err
			}
			out = append(out, refs...)
		}
		return out, nil
	}
	return one(body, 0)
}

// message holds what the kinds of message say.
type message struct {
	// S3's own.
	Records []struct {
		EventName string `json:"eventName"`
		S3        struct {
			Bucket struct{ Name string }
			Object struct {
				Key  string
				ETag string `json:"eTag"`
			}
		}
	}
	Event string // s3:TestEvent
	// SNS.
	Type    string
	Message string
	// EventBridge.
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Detail     struct {
		Bucket struct{ Name string }
		Object struct{ Key, ETag string }
	}
	// CloudTrail.
	S3Bucket    string   `json:"s3Bucket"`
	S3ObjectKey []string `json:"s3ObjectKey"`
	// Event Grid; a CloudEvent has its type in "type", where SNS has it too.
	EventType string `json:"eventType"`
	Subject   string `json:"subject"`
	Data      struct {
		ETag string `json:"eTag"`
	} `json:"data"`
}

func one(body []byte, depth int) ([]reference, error) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, errNotification
	}
	switch {
	case m.Records != nil:
		var out []reference
		for _, rec := range m.Records {
			if !strings.HasPrefix(rec.EventName, "ObjectCreated:") {
				continue
			}
			key, err := url.QueryUnescape(rec.S3.Object.Key)
			if err != nil || key == "" {
				return nil, errNotification
			}
			out = append(out, reference{rec.S3.Bucket.Name, key, strings.Trim(rec.S3.Object.ETag, `"`)})
		}
		return out, nil
	case m.Event == "s3:TestEvent":
		return nil, nil
	case m.Type == "Notification" && depth == 0:
		return one([]byte(m.Message), 1)
	case m.Source == "aws.s3":
		if m.DetailType != "Object Created" {
			return nil, nil
		}
		return []reference{{m.Detail.Bucket.Name, m.Detail.Object.Key, strings.Trim(m.Detail.Object.ETag, `"`)}}, nil
	case m.S3Bucket != "":
		var out []reference
		for _, key := range m.S3ObjectKey {
			out = append(out, reference{bucket: m.S3Bucket, key: key})
		}
		return out, nil
	}
	kind := m.EventType
	if kind == "" {
		kind = m.Type
	}
	if !strings.HasPrefix(kind, "Microsoft.") {
		return nil, errNotification
	}
	if kind != "Microsoft.Storage.BlobCreated" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(m.Subject, "/blobServices/default/containers/")
	container, key, found := strings.Cut(rest, "/blobs/")
	if !ok || !found || key == "" {
		return nil, errNotification
	}
	return []reference{{container, key, strings.Trim(m.Data.ETag, `"`)}}, nil
}
