package talk_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
	"vigil/alerts/slack/talk/talktest"
)

// request is one to PathActions, with what a test changes of it.
func request(body string, headers ...string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, talk.PathActions, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

const (
	hTime = "X-Slack-Request-Timestamp"
	hSign = "X-Slack-Signature"
)

func signedRequest(body, ts string) *http.Request {
	return request(body, hTime, ts, hSign, talktest.Sign(secret, ts, body))
}

// pressBody is the form of a press.
func pressBody(r *room) string {
	raw, _ := json.Marshal(r.PressPayload("UANN", slack.ActionAcknowledge, "case-1"))
	return url.Values{"payload": {string(raw)}}.Encode()
}

func serve(r *room, req *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	r.talk.Handler().ServeHTTP(rec, req)
	return rec
}

// What is not Slack's is refused by a bare 401, and does nothing.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	now := strconv.FormatInt(epoch.Unix(), 10)
	at := func(d int64) string { return strconv.FormatInt(epoch.Unix()+d, 10) }
	body := pressBody(r)
	good := talktest.Sign(secret, now, body)
	// The same fields, written otherwise.
	reencoded := strings.NewReplacer("%7B", "%7b", "%22", "%22").Replace(body)
	if reencoded == body {
		t.Fatal("nothing is written otherwise")
	}
	huge := "payload=" + strings.Repeat("a", 10<<20)
	for _, c := range []struct {
		name, reason string
		req          *http.Request
	}{
		{"another secret", "signature", request(body, hTime, now, hSign, talktest.Sign("another", now, body))},
		{"no secret", "signature", request(body, hTime, now, hSign, talktest.Sign("", now, body))},
		{"no headers", "headers", request(body)},
		{"no time", "headers", request(body, hSign, good)},
		{"no signature", "headers", request(body, hTime, now)},
		{"301 s ago", "time", signedRequest(body, at(-301))},
		{"301 s ahead", "time", signedRequest(body, at(301))},
		{"years ahead", "time", signedRequest(body, "99999999999")},
		{"beyond any number", "time", signedRequest(body, strings.Repeat("9", 30))},
		{"1e9", "time", signedRequest(body, "1e9")},
		{"negative", "time", signedRequest(body, "-1772638200")},
		{"signed plus", "time", signedRequest(body, "+"+now)},
		{"leading zero", "time", signedRequest(body, "0"+now)},
		{"fraction", "time", signedRequest(body, now+".0")},
		{"other digits", "time", signedRequest(body, "１７７２６３８２００")},
		{"space", "time", signedRequest(body, " "+now)},
		{"empty time", "time", signedRequest(body, "")},
		{"one byte changed", "signature", request(strings.Replace(body, "case-1", "case-2", 1), hTime, now, hSign, good)},
		{"one byte more", "signature", request(body+"&", hTime, now, hSign, good)},
		{"another time", "signature", request(body, hTime, at(-1), hSign, good)},
		{"two signatures", "headers", request(body, hTime, now, hSign, good, hSign, good)},
		{"two times", "headers", request(body, hTime, now, hTime, now, hSign, good)},
		{"two in one", "headers", request(body, hTime, now, hSign, good+", "+good)},
		{"upper case", "headers", request(body, hTime, now, hSign, "v0="+strings.ToUpper(good[3:]))},
		{"upper case v", "headers", request(body, hTime, now, hSign, "V0="+good[3:])},
		{"another version", "headers", request(body, hTime, now, hSign, "v1="+good[3:])},
		{"without version", "headers", request(body, hTime, now, hSign, good[3:])},
		{"half a signature", "headers", request(body, hTime, now, hSign, good[:35])},
		{"no hex", "headers", request(body, hTime, now, hSign, "v0="+strings.Repeat("g", 64))},
		{"re-encoded form", "signature", request(reencoded, hTime, now, hSign, good)},
		{"10 MB", "body", signedRequest(huge, now)},
	} {
		before := r.talk.Counts()["refused_"+c.reason]
		rec := serve(r, c.req)
		if rec.Code != http.StatusUnauthorized || rec.Body.Len() != 0 {
			t.Errorf("%s: %d %q", c.name, rec.Code, rec.Body)
		}
		for k, vs := range rec.Header() {
			if k != "Connection" {
				t.Errorf("%s: the answer says %s: %s", c.name, k, vs)
			}
		}
		if got := r.talk.Counts()["refused_"+c.reason]; got != before+1 {
			t.Errorf("%s is not counted as %s: %v", c.name, c.reason, r.talk.Counts())
		}
	}
	r.desk.none(t)
	if r.logs.String() != "" {
		t.Errorf("it is logged: %s", r.logs)
	}

	// The edge of the window, and a replay of what was good.
	for _, d := range []int64{-300, 300} {
		b := pressBody(r)
		if rec := serve(r, signedRequest(b, at(d))); rec.Code != http.StatusOK || rec.Body.Len() != 0 {
			t.Errorf("%d: %d %q", d, rec.Code, rec.Body)
		}
		r.desk.next(t)
		if rec := serve(r, signedRequest(b, at(d))); rec.Code != http.StatusUnauthorized || rec.Body.Len() != 0 {
			t.Errorf("replayed: %d %q", rec.Code, rec.Body)
		}
	}
	r.desk.none(t)
	if n := r.talk.Counts()["refused_replay"]; n != 2 {
		t.Errorf("%d replays", n)
	}
}

// Without a secret nothing is Slack's, not even what is signed by none.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	d := &desk{do: answers}
	tk, err := talk.New(talk.Config{BotToken: botToken}, talk.Options{Desk: d, Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	now := strconv.FormatInt(epoch.Unix(), 10)
	rec := httptest.NewRecorder()
	tk.Handler().ServeHTTP(rec, request("payload={}", hTime, now, hSign, talktest.Sign("", now, "payload={}")))
	if rec.Code != http.StatusUnauthorized || tk.Counts()["refused_off"] != 1 {
		t.Errorf("%d %v", rec.Code, tk.Counts())
	}
}

// A clock that goes wrong by less than the window takes what is fresh, one that goes
// wrong by more nothing; none takes anything twice.
func TestSkewedClocks(t *testing.T) {
	t.Parallel()
	body := []byte("payload=x")
	for _, c := range []struct {
		skew time.Duration
		want string
	}{{0, ""}, {4 * time.Minute, ""}, {-4 * time.Minute, ""}, {6 * time.Minute, "time"}, {-6 * time.Minute, "time"}} {
		v := talk.NewVerifier(secret)
		for s := range int64(1800) { // half an hour of requests, one a second
			ts := strconv.FormatInt(epoch.Unix()+s, 10)
			h := http.Header{hTime: {ts}, hSign: {talktest.Sign(secret, ts, string(body))}}
			at := time.Unix(epoch.Unix()+s, 0).Add(c.skew)
			if got := v.Judge(h, body, at); got != c.want {
				t.Fatalf("%s, second %d: %q", c.skew, s, got)
			}
			if c.want != "" {
				continue
			}
			// Again at once, and again as late as it can be tried.
			late := time.Unix(epoch.Unix()+s, 0).Add(5 * time.Minute)
			if got := v.Judge(h, body, at); got != "replay" {
				t.Fatalf("%s, second %d, again: %q", c.skew, s, got)
			}
			if s%600 == 0 && late.After(at) {
				if got := v.Judge(h, body, late); got != "replay" {
					t.Fatalf("%s, second %d, again later: %q", c.skew, s, got)
				}
			}
		}
	}
}

// A signature of a time to come is remembered for as long as it is good, through all
// that comes meanwhile.
func TestRememberedLongEnough(t *testing.T) {
	t.Parallel()
	// Wherever it falls between two turns of the memory, the first of which is at zero.
	for phase := int64(0); phase <= 600; phase += 50 {
		v := talk.NewVerifier(secret)
		at := func(s, now int64) string {
			ts := strconv.FormatInt(epoch.Unix()+s, 10)
			return v.Judge(http.Header{hTime: {ts}, hSign: {talktest.Sign(secret, ts, "x")}}, []byte("x"), time.Unix(epoch.Unix()+now, 0))
		}
		at(-300, 0)
		if why := at(phase+300, phase); why != "" {
			t.Fatalf("%d: %s", phase, why)
		}
		for s := int64(1); s <= 600; s += 7 {
			if why := at(phase+s-299, phase+s); why != "" {
				t.Fatalf("%d+%d: %s", phase, s, why)
			}
			if why := at(phase+300, phase+s); why != "replay" {
				t.Fatalf("%d: forgotten after %d s: %q", phase, s, why)
			}
		}
	}
}

// A full memory refuses what is new rather than forget what came.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.talk.Remember(3)
	now := strconv.FormatInt(epoch.Unix(), 10)
	var first string
	for i := range 4 {
		b := pressBody(r)
		if i == 0 {
			first = b
		}
		rec := serve(r, signedRequest(b, now))
		if want := map[bool]int{true: http.StatusOK, false: http.StatusServiceUnavailable}[i < 3]; rec.Code != want {
			t.Errorf("%d: %d", i, rec.Code)
		}
	}
	if rec := serve(r, signedRequest(first, now)); rec.Code != http.StatusUnauthorized {
		t.Errorf("a replay: %d", rec.Code)
	}
	if n := r.talk.Counts()["refused_full"]; n != 1 {
		t.Errorf("%d", n)
	}
}

// The same request at the same time from many sides is taken once.
func TestReplayRace(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	b, now := pressBody(r), strconv.FormatInt(epoch.Unix(), 10)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { serve(r, signedRequest(b, now)) })
	}
	wg.Wait()
	r.desk.next(t)
	r.desk.none(t)
	if n := r.talk.Counts()["refused_replay"]; n != 49 {
		t.Errorf("%d replays", n)
	}
}

// What is signed but makes no sense is a bare 400, and no other method or path is ours.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	now := strconv.FormatInt(epoch.Unix(), 10)
	for i, body := range []string{
		"", "payload=", "payload={", "payload=[]", "payload=null&payload=null", "a=%zz", `payload={"type":"block_actions"}`,
		`payload={"type":"block_actions","user":{"id":"U1"},"actions":[{},{}]}`,
		`payload={"type":"view_submission","user":{"id":"<!channel>"},"view":{"id":"V1"}}`,
		`payload={"type":"view_submission","user":{"id":"U1"},"view":{"id":"V1","callback_id":"vigil.note","private_metadata":"{"}}`,
		"payload=" + strings.Repeat("[", 100_000),
	} {
		rec := serve(r, signedRequest(body, now))
		if rec.Code != http.StatusBadRequest || rec.Body.Len() != 0 {
			t.Errorf("%d: %d %q", i, rec.Code, rec.Body)
		}
	}
	json := signedRequest("{}", now)
	json.Header.Set("Content-Type", "application/json")
	if rec := serve(r, json); rec.Code != http.StatusBadRequest {
		t.Errorf("JSON: %d", rec.Code)
	}
	if n := r.talk.Counts()["odd"]; n != 12 {
		t.Errorf("%d are counted", n)
	}
	for _, body := range []string{"ssl_check=1&token=x", `payload={"type":"view_closed","user":{"id":"U1"}}`} {
		if rec := serve(r, signedRequest(body, now)); rec.Code != http.StatusOK || rec.Body.Len() != 0 {
			t.Errorf("%s: %d %q", body, rec.Code, rec.Body)
		}
	}
	if rec := serve(r, httptest.NewRequest(http.MethodGet, talk.PathActions, nil)); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", rec.Code)
	}
	if rec := serve(r, httptest.NewRequest(http.MethodPost, "/slack/else", nil)); rec.Code != http.StatusNotFound {
		t.Errorf("elsewhere: %d", rec.Code)
	}
	r.desk.none(t)
}

// A body that breaks off is refused.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	now := strconv.FormatInt(epoch.Unix(), 10)
	pr, pw := io.Pipe()
	req := request("", hTime, now, hSign, talktest.Sign(secret, now, ""))
	req.Body = pr
	rec := httptest.NewRecorder()
	go func() {
		_, _ = pw.Write([]byte("payload="))
		pw.CloseWithError(io.ErrUnexpectedEOF)
	}()
	r.talk.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusUnauthorized || r.talk.Counts()["refused_body"] != 1 {
		t.Errorf("%d %v", rec.Code, r.talk.Counts())
	}
}

func FuzzVerify(f *testing.F) {
	now := strconv.FormatInt(epoch.Unix(), 10)
	f.Add(now, talktest.Sign(secret, now, "payload=x"), []byte("payload=x"))
	f.Add("1e9", "v0=", []byte{})
	f.Add(now, "v0="+strings.Repeat("0", 64), []byte("a"))
	f.Add("99999999999", strings.ToUpper(talktest.Sign(secret, now, "")), []byte(nil))
	f.Fuzz(func(t *testing.T, ts, signature string, body []byte) {
		v := talk.NewVerifier(secret)
		h := http.Header{hTime: {ts}, hSign: {signature}}
		why := v.Judge(h, body, epoch)
		if right := signature == talktest.Sign(secret, ts, string(body)); why == "" && !right {
			t.Fatalf("accepted: %q %q %q", ts, signature, body)
		}
		if why == "" {
			if again := v.Judge(h, body, epoch); again != "replay" {
				t.Fatalf("accepted twice: %q", again)
			}
			if n, err := strconv.ParseInt(ts, 10, 64); err != nil || n < epoch.Unix()-300 || n > epoch.Unix()+300 {
				t.Fatalf("accepted at %q", ts)
			}
		}
	})
}

func FuzzPayload(f *testing.F) {
	r := &room{Workspace: talktest.New(f)}
	p := r.PressPayload("UANN", slack.ActionMore, slack.ActionSnooze)
	raw, _ := json.Marshal(p)
	f.Add(raw)
	p["type"], p["view"] = "view_submission", map[string]any{"id": "V1", "hash": "h", "callback_id": "vigil.note", "private_metadata": `{"case":"c"}`, "state": map[string]any{"values": map[string]any{"note": map[string]any{"note": map[string]any{"value": "x"}}}}}
	raw, _ = json.Marshal(p)
	f.Add(raw)
	f.Add([]byte("token=x&team_id=T1&user_id=U1&channel_id=C1&text=top+3&trigger_id=1.2.3&response_url=https%3A%2F%2Fhooks.slack.com%2Fx"))
	f.Add([]byte(`{"type":"shortcut","user":{"id":"U1"},"actions":null,"view":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if in, err := talk.ParsePayload(raw); err == nil {
			if beyond := in.Limits(); beyond != "" {
				t.Fatalf("beyond its bounds: %q", beyond)
			}
			// The same bytes have the same id.
			if again, _ := talk.ParsePayload(bytes.Clone(raw)); talk.PayloadID(again) != talk.PayloadID(in) {
				t.Fatal("two ids of one press")
			}
		}
		if in, err := talk.ParseForm(raw); err == nil {
			if beyond := in.Limits(); beyond != "" {
				t.Fatalf("beyond its bounds: %q", beyond)
			}
		}
	})
}
