package nginx_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/nginx"
)

// program finds nginx: in the path, where Debian has it, or where tools/setup.sh put it.
func program(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx", filepath.Join("..", "..", "..", ".tools", "nginx", "nginx")} {
		if path, err := exec.LookPath(name); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path
			}
		}
	}
	t.Skip("SKIPPED: no nginx here (see tools/setup.sh); what a real nginx logs was not tested")
	return ""
}

// serverConfig writes each request into three logs.
const serverConfig = `
daemon off;
worker_processes 1;
%[3]s
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 64; }
http {
	log_format own '$msec|$http_x_user|$remote_addr|$http_x_forwarded_for|$request|$status|$body_bytes_sent|$http_user_agent';
	log_format json escape=json '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user",'
		'"request":"$request","status":$status,"body_bytes_sent":$body_bytes_sent,"http_user_agent":"$http_user_agent"}';
	access_log %[1]s/combined.log combined;
	access_log %[1]s/own.log own;
	access_log %[1]s/json.log json;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / { return 200 "twelve bytes"; }
		location /denied { return 403 "no"; }
		location /missing { return 404 "gone"; }
		location /broken { return 500 "oh"; }
		location = /empty { return 204; }
	}
}
`

// workload are requests as they go over the wire, and what each is. An event's actor is
// the user of basic authentication (maria, whose password is "secret") or X-User.
var workload = []struct {
	request string
	want    access
}{
	{"GET /customers/4711 HTTP/1.1\r\nAuthorization: Basic bWFyaWE6c2VjcmV0\r\nX-User: maria\r\nUser-Agent: desk/1.0\r\n", access{"maria", "read", "/customers/{id}", "GET /customers/{id}", "success", 12, "desk/1.0", nil}},
	{"GET /t/8471/contacts/c-9/notes?per_page=50&q=SECRET HTTP/1.1\r\nX-User: otto\r\n", access{"otto", "search", "notes", "GET /t/*/contacts/{subject}/notes?per_page&q", "success", 12, "", []string{"c-9"}}},
	{"DELETE /denied/3f2504e0-4f89-11d3-9a0c-0305e82c3301 HTTP/1.1\r\nX-User: otto\r\n", access{"otto", "delete", "/denied/{id}", "DELETE /denied/{id}", "denied", 2, "", nil}},
	{"POST /missing HTTP/1.1\r\nContent-Length: 0\r\n", access{"", "write", "/missing", "POST /missing", "error", 4, "", nil}},
	{"PUT /broken/export.csv HTTP/1.1\r\nContent-Length: 0\r\n", access{"", "export", "/broken/export.csv", "PUT /broken/export.csv", "error", 2, "", nil}},
	{"HEAD /empty HTTP/1.1\r\n", access{"", "read", "/empty", "HEAD /empty", "success", 0, "", nil}},
	{"GET /caf%C3%A9/a%20b/%22quoted%22?x[]=1&x[]=2 HTTP/1.1\r\nUser-Agent: say \"hi\" \\ back\r\n", access{"", "read", `/café/a b/"quoted"`, `GET /café/a b/"quoted"?x`, "success", 12, `say "hi" \ back`, nil}},
	{"GET /raw\xc3\xa9 HTTP/1.1\r\n", access{"", "read", "/rawé", "GET /rawé", "success", 12, "", nil}},
	{"GET /forged HTTP/1.1\r\nUser-Agent: x\" 200 5\t\x7f192.0.2.1 - root [02/Nov/2026:09:14:05 +0000] \"GET /\r\n", access{"", "read", "/forged", "GET /forged", "success", 12, "?", nil}},
	{"GET /long/" + strings.Repeat("a", 3000) + " HTTP/1.1\r\n", access{"", "read", "/long/**", "GET /long/**", "success", 12, "", nil}},
	{"nonsense\r\n", access{"", "other", "", "malformed request", "error", -2, "", nil}},
	{"GET http://desk.example.com/customers/4711 HTTP/1.1\r\n", access{"", "read", "/customers/{id}", "GET /customers/{id}", "success", 12, "", nil}},
	{"GET /a/../b//./c#frag HTTP/1.1\r\n", access{"", "read", "/b/c", "GET /b/c", "success", 12, "", nil}},
}

// access is what a request is.
type access struct {
	Actor, Action, Resource, Shape, Outcome string
	Bytes                                   int64
	UserAgent                               string
	Subjects                                []string
}

// TestRealServer sends a known workload to a real nginx, and finds in each of its logs
// just the requests that were made, no more and no fewer.
func TestRealServer(t *testing.T) {
	t.Parallel()
	path := program(t)
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	// nginx takes over the socket that listens already, so nobody has to wait for it.
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // else the worker may not look into the test's folder
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, serverConfig, dir, address, user), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(path, "-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log"))
	server.Env = append(os.Environ(), "NGINX=3;")
	server.ExtraFiles = []*os.File{socket}
	var output strings.Builder
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM) // and its worker ends with it
		<-ended
	})
	listener.Close()
	socket.Close()

	began := time.Now().Truncate(time.Second)
	for _, w := range workload {
		send(t, address, w.request)
	}
	until := time.Now()
	if err := server.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("nginx ended with %v: %s", err, output.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nginx does not end")
	}

	mapping := &formats.Mapping{Paths: []formats.Path{{Template: "/t/*/contacts/{subject}/notes", Resource: "notes"}}}
	for name, params := range map[string]map[string]string{
		"combined.log": nil,
		"json.log":     nil,
		"own.log": {
			"log_format": "$msec|$http_x_user|$remote_addr|$http_x_forwarded_for|$request|$status|$body_bytes_sent|$http_user_agent", "actor": "$http_x_user",
		},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		events, errs := formatstest.Decode(t, nginx.Format(), formats.Options{Source: "web", Params: params, Mapping: mapping}, string(text))
		for _, err := range errs {
			t.Errorf("%s: %v", name, err)
		}
		var got, want []access
		for _, e := range events {
			got = append(got, seen(t, name, e, began, until))
		}
		for _, w := range workload {
			x := w.want
			if name != "own.log" && x.Actor != "maria" {
				x.Actor = "" // these hold whom nginx knows
			}
			want = append(want, x)
		}
		for i := range min(len(got), len(want)) {
			// How long nginx's own page of errors is, and how it writes a header that
			// must not be written as it came, is its own affair.
			if want[i].Bytes == -2 {
				want[i].Bytes = got[i].Bytes
			}
			if want[i].UserAgent == "?" {
				want[i].UserAgent = got[i].UserAgent
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// send makes one request and reads the answer to its end.
func send(t *testing.T, address, request string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request+"Host: desk.example.com\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
}

// seen is what an event says, once its time and address are found right.
func seen(t *testing.T, name string, e *vigil.Event, began, until time.Time) access {
	t.Helper()
	if e.Time.Before(began) || e.Time.After(until) {
		t.Errorf("%s: %s: at %v, not between %v and %v", name, e.Shape, e.Time, began, until)
	}
	if ip, err := netip.ParseAddr(e.IP); err != nil || !ip.IsLoopback() {
		t.Errorf("%s: %s: from %q", name, e.Shape, e.IP)
	}
	a := access{e.Actor.ID, string(e.Action), e.Resource, e.Shape, string(e.Outcome), e.Bytes, e.UserAgent, e.Subjects}
	if e.Actor.Kind == vigil.KindAnonymous {
		a.Actor = ""
	}
	return a
}
