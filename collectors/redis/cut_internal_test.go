package redis

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

// A line that is cut off ends behind a whole character of an argument, wherever the cut is.
func TestLongLinesAreClosed(t *testing.T) {
	t.Parallel()
	full := `1793610845.000000 [0 192.0.2.1:1] "SET" "customer:9" "a\"b\\c\x00\n` + strings.Repeat("v", 40) + `"`
	for limit := strings.Index(full, `"a`) + 1; limit < len(full)-1; limit++ {
		a, b := net.Pipe()
		go func() {
			_, _ = b.Write([]byte("+" + full + "\r\n+next\r\n"))
			b.Close()
		}()
		c := &conn{Conn: a, in: bufio.NewReaderSize(a, 16)}
		got, err := c.line(limit + 1)
		if err != nil {
			t.Fatal(err)
		}
		cut := strings.TrimSuffix(string(got[1:]), `"`)
		if !strings.HasPrefix(full, cut) || len(cut) < limit-3 || got[len(got)-1] != '"' && limit > strings.Index(full, `"a`) {
			t.Errorf("limit %d: %s", limit, got)
		}
		if strings.HasSuffix(cut, `\x`) || strings.HasSuffix(cut, `\x0`) || strings.HasSuffix(cut, `\`) && !strings.HasSuffix(cut, `\\`) {
			t.Errorf("limit %d: cut within an escape: %s", limit, got)
		}
		if next, err := c.line(100); err != nil || string(next) != "+next" {
			t.Errorf("limit %d: then %q, %v", limit, next, err)
		}
		a.Close()
	}
}
