package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	gcblob "gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // opens azblob://
	_ "gocloud.dev/blob/gcsblob"   // opens gs://
	_ "gocloud.dev/blob/s3blob"    // opens s3://
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
)

const (
	// answerWithin bounds the wait for an answer of the store: a page of a listing, an
	// object's attributes, the start of its content, the next part of it.
	answerWithin = 2 * time.Minute
	pageSize     = 1000
)

// What may be wrong with one object.
var (
	errGone   = errors.New("the object is gone")
	errDenied = errors.New("access is denied")
	// errEnough ends a listing early.
	errEnough = errors.New("enough")
)

// object is one of a store.
type object struct {
	key string
	// version tells what is in it: another content has another one.
	version string
	size    int64
	changed time.Time
	// grows says that it may be seen unfinished, and be added to.
	grows bool
}

// store is where objects lie. Its errors are errGone and errDenied, where they are of one
// object, and others.
type store interface {
	// list gives the objects whose keys begin with prefix, page by page, and stops at an
	// error of each.
	list(ctx context.Context, prefix string, each func(object) error) error
	stat(ctx context.Context, key string) (object, error)
	// open reads an object from its start. A read that gets nothing for too long fails.
	open(ctx context.Context, key string) (io.ReadCloser, error)
	close()
}

// open opens the place.
func (c *Collector) open(ctx context.Context) (store, error) {
	if c.opts.Bucket != nil {
		return &bucket{b: c.opts.Bucket}, nil
	}
	if c.place.scheme == "file" {
		return openFolder(c.place.name)
	}
	b, err := gcblob.OpenBucket(ctx, c.place.url.String())
	if err != nil {
		return nil, c.explain("open", err)
	}
	return &bucket{b: b, owned: true}, nil
}

// bucket is one of S3, Google Cloud Storage or Azure.
type bucket struct {
	b     *gcblob.Bucket
	owned bool
}

func (b *bucket) close() {
	if b.owned {
		_ = b.b.Close() // nothing was written
	}
}

func (b *bucket) list(ctx context.Context, prefix string, each func(object) error) error {
	token := gcblob.FirstPageToken
	for len(token) > 0 {
		page, next, err := b.page(ctx, token, prefix)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return kind(err)
		}
		for _, o := range page {
			if o.IsDir {
				continue
			}
			if err := each(listed(o)); err != nil {
				return err
			}
		}
		token = next
	}
	return nil
}

func (b *bucket) page(ctx context.Context, token []byte, prefix string) ([]*gcblob.ListObject, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return b.b.ListPage(ctx, token, pageSize, &gcblob.ListOptions{Prefix: prefix})
}

// listed is an object as a listing tells it. What names its version is the same as in its
// attributes and in notifications.
func listed(l *gcblob.ListObject) object {
	o := object{key: l.Key, size: l.Size, changed: l.ModTime}
	var object types.Object
	var gs storage.ObjectAttrs
	var az container.BlobItem
	switch {
	case l.As(&object) && object.ETag != nil && object.Key != nil:
		o.key, o.version = *object.Key, *object.ETag
	case l.As(&gs) && gs.Generation != 0:
		o.version = strconv.FormatInt(gs.Generation, 10)
	case l.As(&az) && az.Properties != nil && az.Properties.ETag != nil:
		o.version = string(*az.Properties.ETag)
		o.grows = az.Properties.BlobType != nil && *az.Properties.BlobType == container.BlobTypeAppendBlob
	}
	return o.named(fmt.Sprintf("%d %x", l.Size, l.MD5))
}

// named gives an object of which no version is known the one that its size and time make.
func (o object) named(other string) object {
	if o.version = strings.Trim(o.version, `"`); o.version == "" {
		o.version = o.changed.UTC().Format(time.RFC3339Nano) + " " + other
	}
	return o
}

func (b *bucket) stat(ctx context.Context, key string) (object, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	a, err := b.b.Attributes(ctx, key)
	if err != nil {
		return object{}, kind(err)
	}
	o := object{key: key, size: a.Size, changed: a.ModTime, version: a.ETag}
	var gs storage.ObjectAttrs
	var az blob.GetPropertiesResponse
	switch {
	case a.As(&gs):
		o.version = strconv.FormatInt(gs.Generation, 10)
	case a.As(&az):
		o.grows = az.BlobType != nil && *az.BlobType == blob.BlobTypeAppendBlob
	}
	return o.named(fmt.Sprintf("%d %x", a.Size, a.MD5)), nil
}

func (b *bucket) open(ctx context.Context, key string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	patience := time.AfterFunc(answerWithin, func() { cancel(errSilent) })
	r, err := b.reader(ctx, key)
	if err != nil {
		patience.Stop()
		if errors.Is(context.Cause(ctx), errSilent) {
			err = errSilent
		}
		cancel(nil)
		return nil, kind(err)
	}
	return &patientReader{r: r, ctx: ctx, cancel: cancel, patience: patience}, nil
}

// reader opens the object of that very key. The library would write some characters in
// another way, as it does where it writes itself.
func (b *bucket) reader(ctx context.Context, key string) (io.ReadCloser, error) {
	var azure *container.Client
	if b.b.As(&azure) && strings.ContainsAny(key, `"#%?\`) {
		got, err := azure.NewBlobClient(key).DownloadStream(ctx, nil)
		if err != nil {
			return nil, err
		}
		return got.Body, nil
	}
	return b.b.NewReader(ctx, key, &gcblob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		var input *s3.GetObjectInput
		if as(&input) {
			input.Key = &key
		}
		var options *[]func(*s3.Options)
		if as(&options) {
			// Else a server without the newer checksums fills the log.
			*options = append(*options, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
		}
		return nil
	}})
}

var errSilent = fmt.Errorf("no answer for %s", answerWithin)

// patientReader ends a read that gets nothing for too long.
type patientReader struct {
	r        io.ReadCloser
	ctx      context.Context
	cancel   context.CancelCauseFunc
	patience *time.Timer
}

func (p *patientReader) Read(b []byte) (int, error) {
	p.patience.Reset(answerWithin)
	n, err := p.r.Read(b)
	p.patience.Stop()
	if err != nil && errors.Is(context.Cause(p.ctx), errSilent) {
		err = errSilent
	}
	return n, err
}

// Close ends reading.
func (p *patientReader) Close() error {
	p.patience.Stop()
	defer p.cancel(nil)
	return p.r.Close()
}

// kind tells what befell one object from what befell the store. The library's own codes
// are not enough: it calls a refusal of Google's "not found", and those of Azure "unknown".
func kind(err error) error {
	status := 0
	var aws interface{ HTTPStatusCode() int }
	var api smithy.APIError
	var google *googleapi.Error
	var azure *azcore.ResponseError
	switch {
	case errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound"):
		status = http.StatusNotFound
	case errors.As(err, &aws):
		status = aws.HTTPStatusCode()
	case errors.As(err, &google):
		status = google.Code
	case errors.As(err, &azure):
		status = azure.StatusCode
	}
	code := gcerrors.Code(err)
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized || status == 0 && code == gcerrors.PermissionDenied:
		return &trouble{errDenied, err}
	case status == http.StatusNotFound || status == 0 && code == gcerrors.NotFound:
		return &trouble{errGone, err}
	}
	return err
}

// trouble is an error of a known kind.
type trouble struct{ kind, err error }

func (t *trouble) Error() string   { return t.err.Error() }
func (t *trouble) Unwrap() []error { return []error{t.kind, t.err} }

// query finds what follows the question mark of an address: signatures stand there.
var query = regexp.MustCompile(`\?[^\s"']+`)

// plain says an error in words that may be shown: without the settings of addresses.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return query.ReplaceAllString(u.Op+" "+u.URL, "") + ": " + query.ReplaceAllString(u.Err.Error(), "")
	}
	text := strings.Join(strings.Fields(query.ReplaceAllString(err.Error(), "")), " ")
	return text[:min(len(text), 600)]
}

// failure is an error as operators see it.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// explain says what failed, and the remedy.
func (c *Collector) explain(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &failure{fmt.Sprintf("%s %s: %s%s", what, c.place, plain(err), c.remedy(what, err)), err}
}

// rights are what each store calls the right to list and the right to read.
var rights = map[string][2]string{
	"s3":     {"s3:ListBucket on the bucket", "s3:GetObject on its objects, and kms:Decrypt on their key where they are encrypted with one"},
	"gs":     {"storage.objects.list (roles/storage.objectViewer)", "storage.objects.get (roles/storage.objectViewer)"},
	"azblob": {`"Storage Blob Data Reader" on the container`, `"Storage Blob Data Reader" on the container`},
	"file":   {"the right to read and enter the folder", "the right to read the files"},
}

func (c *Collector) remedy(what string, err error) string {
	right := rights[c.place.scheme][0]
	if what == "read" {
		right = rights[c.place.scheme][1]
	}
	switch {
	case errors.Is(err, errDenied):
		return ": access is denied: give vigil " + right
	case errors.Is(err, errGone):
		return ": there is none of this name, or vigil may not see it: look at the url"
	}
	return ""
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
