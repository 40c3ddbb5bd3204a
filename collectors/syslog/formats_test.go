package syslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
)

// What formats there are is read within the headers of both RFCs, whether the format is
// named or found by looking.
func TestFormatsWithinHeaders(t *testing.T) {
	t.Parallel()
	const (
		rfc5424 = "<134>1 2026-11-02T09:00:01.123456Z web app 77 - - "
		sd      = `<134>1 2026-11-02T09:00:01.123456+00:00 web app 77 ID47 [meta sequenceId="9"][x@1 a="b\]c"] `
		bom     = rfc5424 + "\xef\xbb\xbf"
		rfc3164 = "<134>Nov  2 09:00:01 web app[77]: "
		iso3164 = "<134>2026-11-02T09:00:01.123456+00:00 web app: "
	)
	const nginx = `192.0.2.7 - ann [02/Nov/2026:09:00:01 +0000] "GET /api/conversations/9/messages HTTP/1.1" 200 1024 "-" "Mozilla/5.0"`
	const pgaudit = `2026-11-02 09:00:01.100 UTC [77] ann@desk LOG:  AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.messages,select * from messages where conversation_id = 9,<none>`
	const cef = `CEF:0|Acme|Desk|1.0|100|read|3|rt=1793610001000 suser=ann act=read request=/api/conversations/9 src=192.0.2.7 outcome=success`
	for _, c := range []struct {
		format, text string
		headers      []string
	}{
		{"nginx", nginx, []string{rfc5424, sd, bom, rfc3164, iso3164}},
		{"postgresql", pgaudit, []string{rfc5424, sd, rfc3164, iso3164}},
		{"cef", cef, []string{rfc5424, sd, bom, rfc3164, iso3164}},
		{"native", line(9), []string{rfc5424, sd, bom, rfc3164, iso3164}},
		{"caddy", `{"level":"info","ts":1793610001.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.7","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"desk","uri":"/api/conversations/9/messages","headers":{}},"user_id":"ann","duration":0.1,"size":1024,"status":200}`, []string{rfc5424, sd, rfc3164}},
	} {
		for i, head := range c.headers {
			for _, format := range []string{c.format, ""} {
				t.Run(fmt.Sprintf("%s/%d/%s", c.format, i, format), func(t *testing.T) {
					t.Parallel()
					cfg := decoding(format)
					s := decode.NewStream(&cfg, "syslog:192.0.2.1")
					var b collectors.Batch
					s.Line(1, []byte(head+c.text), time.Now(), &b)
					s.Flush(time.Now(), &b)
					if s.Format() != c.format || len(b.Events) != 1 || len(b.Quarantined) != 0 {
						t.Fatalf("as %q there are %d events, and set aside: %+v", s.Format(), len(b.Events), b.Quarantined)
					}
					e := b.Events[0]
					if e.Action != vigil.ActionRead || e.Time.Year() != 2026 || !strings.HasPrefix(e.Actor.ID, "a") {
						t.Errorf("%+v", e)
					}
				})
			}
		}
	}
}
