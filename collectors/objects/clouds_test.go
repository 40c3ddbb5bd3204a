package objects_test

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"google.golang.org/api/option"

	"vigil/collectors/objects"
)

// cloud is a container called "logs" that speaks, to those who read, as Azure does below
// /acct/logs and as Google does elsewhere. A page holds two objects.
type cloud struct {
	*httptest.Server
	mu      sync.Mutex
	content map[string][]byte
	changed map[string]time.Time
	appends map[string]bool
	denied  map[string]bool
	n       int64
	version map[string]int64
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	c := &cloud{content: map[string][]byte{}, changed: map[string]time.Time{}, appends: map[string]bool{}, denied: map[string]bool{}, version: map[string]int64{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *cloud) put(key string, content []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.content[key], c.changed[key], c.version[key] = content, time.Now().UTC(), c.n
}

func (c *cloud) set(m map[string]bool, key string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m[key] = on
}

// page lists the keys that begin with prefix behind marker, and the next marker.
func (c *cloud) page(prefix, marker string) (keys []string, next string) {
	for key := range c.content {
		if strings.HasPrefix(key, prefix) && key > marker {
			keys = append(keys, key)
		}
	}
	if slices.Sort(keys); len(keys) > 2 {
		keys = keys[:2]
		next = keys[1]
	}
	return keys, next
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := r.URL.Query()
	path := r.URL.Path
	switch {
	case path == "/acct/logs" && q.Get("comp") == "list":
		c.azureList(w, q.Get("prefix"), q.Get("marker"))
	case strings.HasPrefix(path, "/acct/logs/"):
		c.object(w, r, strings.TrimPrefix(path, "/acct/logs/"), func(status int) {
			w.Header().Set("X-Ms-Error-Code", map[int]string{404: "BlobNotFound", 403: "AuthorizationPermissionMismatch"}[status])
			w.WriteHeader(status)
		})
	case path == "/storage/v1/b/logs/o":
		c.googleList(w, q.Get("prefix"), q.Get("pageToken"))
	default:
		key := strings.TrimPrefix(strings.TrimPrefix(path, "/storage/v1/b/logs/o/"), "/logs/")
		if strings.HasPrefix(path, "/storage/") && q.Get("alt") == "json" {
			_ = json.NewEncoder(w).Encode(c.resource(key))
			return
		}
		c.object(w, r, key, func(status int) { w.WriteHeader(status) })
	}
}

func (c *cloud) object(w http.ResponseWriter, r *http.Request, key string, refuse func(status int)) {
	content, ok := c.content[key]
	switch {
	case !ok:
		refuse(http.StatusNotFound)
		return
	case c.denied[key]:
		refuse(http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("ETag", c.etag(key))
	h.Set("Last-Modified", c.changed[key].Format(http.TimeFormat))
	h.Set("X-Goog-Generation", strconv.FormatInt(c.version[key], 10))
	h.Set("X-Ms-Blob-Type", c.kind(key))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(content)
	}
}

func (c *cloud) etag(key string) string { return fmt.Sprintf(`"0x%X"`, c.version[key]) }

func (c *cloud) kind(key string) string {
	if c.appends[key] {
		return "AppendBlob"
	}
	return "BlockBlob"
}

func (c *cloud) azureList(w http.ResponseWriter, prefix, marker string) {
	type properties struct {
		LastModified  string `xml:"Last-Modified"`
		Etag          string
		ContentLength int    `xml:"Content-Length"`
		ContentType   string `xml:"Content-Type"`
		BlobType      string
	}
	type item struct {
		Name       string
		Properties properties
	}
	out := struct {
		XMLName    xml.Name `xml:"EnumerationResults"`
		Blobs      []item   `xml:"Blobs>Blob"`
		NextMarker string
	}{}
	keys, next := c.page(prefix, marker)
	for _, key := range keys {
		out.Blobs = append(out.Blobs, item{key, properties{
			c.changed[key].Format(http.TimeFormat), strings.Trim(c.etag(key), `"`), len(c.content[key]), "application/octet-stream", c.kind(key),
		}})
	}
	out.NextMarker = next
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(out)
}

func (c *cloud) resource(key string) map[string]any {
	sum := md5.Sum(c.content[key])
	return map[string]any{
		"kind": "storage#object", "name": key, "bucket": "logs", "generation": strconv.FormatInt(c.version[key], 10),
		"size": strconv.Itoa(len(c.content[key])), "updated": c.changed[key].Format(time.RFC3339Nano),
		"md5Hash": base64.StdEncoding.EncodeToString(sum[:]), "etag": c.etag(key),
	}
}

func (c *cloud) googleList(w http.ResponseWriter, prefix, token string) {
	keys, next := c.page(prefix, token)
	var items []map[string]any
	for _, key := range keys {
		items = append(items, c.resource(key))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "storage#objects", "items": items, "nextPageToken": next})
}

// options open the container as Azure's, with its own client.
func (c *cloud) azure(t testing.TB) objects.Options {
	t.Helper()
	client, err := container.NewClientWithNoCredential(c.URL+"/acct/logs", nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := azureblob.OpenBucket(t.Context(), client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return objects.Options{Bucket: b}
}

// google opens it as Google's.
func (c *cloud) google(t testing.TB) objects.Options {
	t.Helper()
	b, err := gcsblob.OpenBucket(t.Context(), gcp.NewAnonymousHTTPClient(http.DefaultTransport), "logs", &gcsblob.Options{
		ClientOptions: []option.ClientOption{option.WithEndpoint(c.URL + "/storage/v1/")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return objects.Options{Bucket: b}
}

// Azure and Google, by their own clients: many pages, strange keys, one object denied and
// one written over.
func TestClouds(t *testing.T) {
	t.Parallel()
	for scheme, options := range map[string]func(*cloud, testing.TB) objects.Options{"azblob": (*cloud).azure, "gs": (*cloud).google} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			opts := options(c, t)
			keys := []string{"in/a b.log", "in/ü#1.log", "in/q?x=%20.log", "in/d.log", "in/e/f.log"}
			for i, key := range keys {
				c.put(key, text(records(i*10+1, 10)...))
			}
			c.put("out/x.log", text(records(1000, 1)...))
			c.put("in/locked.log", text(records(51, 10)...))
			c.set(c.denied, "in/locked.log", true)
			cfg := config(scheme + "://logs")
			cfg.Prefixes = []string{"in/"}
			o := newOracle()
			stop := begin(t, o, collector(t, cfg, opts))
			o.AwaitRecords(t, 50)
			o.Await(t, "the locked one", func(_, aside, _ int) bool { return aside == 1 })
			c.put("in/d.log", text(records(61, 10)...))
			o.AwaitRecords(t, 60)
			c.set(c.denied, "in/locked.log", false)
			c.put("in/locked.log", text(records(51, 10)...))
			o.AwaitRecords(t, 70)
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			o.Check(t, 70)
			if q := o.Quarantined(); len(q) != 1 || q[0].Code != "unreadable" || !strings.Contains(q[0].Reason, "access is denied") {
				t.Errorf("%+v", q)
			}
		})
	}
}

// An append blob is read as it grows, and a record of which half was appended counts once.
func TestAppendBlob(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	whole := text(records(1, 30)...)
	c.set(c.appends, "PT1H.json", true)
	o := newOracle()
	c.put("PT1H.json", whole[:len(whole)/3])
	stop := begin(t, o, collector(t, config("azblob://logs"), c.azure(t)))
	o.AwaitRecords(t, 8)
	c.put("PT1H.json", whole[:len(whole)*2/3])
	o.AwaitRecords(t, 18)
	c.put("PT1H.json", whole)
	o.AwaitRecords(t, 30)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Check(t, 30)
	if q := o.Quarantined(); len(q) > 0 {
		t.Errorf("%+v", q)
	}
}
