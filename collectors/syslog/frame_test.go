package syslog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cut gives a framing a stream in pieces, and lists what it cuts out of it. Of a buffer it
// asks for no more than a connection has.
func cut(t testing.TB, f framing, stream string, piece func() int) (out []string, err error) {
	t.Helper()
	var buf []byte
	for eof := false; ; {
		for {
			one, used, ok, err := f.next(buf, eof)
			if used < 0 || used > len(buf) {
				t.Fatalf("used %d of %d bytes", used, len(buf))
			}
			buf = buf[used:]
			if err != nil {
				return out, err
			}
			if !ok && used > 0 {
				continue
			}
			if !ok {
				break
			}
			text := string(one.text)
			if one.long > 0 {
				text = fmt.Sprintf("long %d %s", one.long, text[:1])
			}
			if one.missing > 0 {
				text = fmt.Sprintf("missing %d %s", one.missing, text)
			}
			if r, is := f.(*relp); is {
				text = fmt.Sprintf("%d %s %s", r.head.txnr, r.head.command, text)
			}
			out = append(out, text)
		}
		if eof {
			return out, nil
		}
		if len(buf) >= lastBuffer {
			t.Fatalf("nothing is cut out of %d bytes", len(buf))
		}
		n := min(piece(), len(stream), lastBuffer-len(buf))
		buf = append(bytes.Clone(buf), stream[:n]...)
		stream = stream[n:]
		eof = len(stream) == 0
	}
}

func TestSplitter(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxMessage+7)
	for name, c := range map[string]struct {
		stream string
		want   []string
	}{
		"lines":              {"<1>a\n<2>b\r\n\n<3>c\n", []string{"<1>a", "<2>b\r", "<3>c"}},
		"last without end":   {"<1>a\n<2>b", []string{"<1>a", "<2>b"}},
		"counted":            {"4 <1>a5 <2>bc", []string{"<1>a", "<2>bc"}},
		"counted with ends":  {"4 <1>a\n7 <2>\nb\nc\n", []string{"<1>a", "<2>\nb\nc"}},
		"changing":           {"4 <1>a<2>b\n5 <3>cd\n<4>e\n", []string{"<1>a", "<2>b", "<3>cd", "<4>e"}},
		"no priority":        {"4 <1>a3 abc\n", []string{"<1>a", "abc"}},
		"a line of a number": {"12 monkeys\n2026-11-02 x\n7\n", []string{"12 monkeys", "2026-11-02 x", "7"}},
		"cut off":            {"4 <1>a9 <2>b", []string{"<1>a", "missing 5 <2>b"}},
		"no such length":     {"99999999999 <1>a\n<2>b\n", []string{"99999999999 <1>a", "<2>b"}},
		"too long a line":    {"<1>a\n" + long + "\n<2>b\n", []string{"<1>a", fmt.Sprintf("long %d x", len(long)), "<2>b"}},
		"too long at end":    {long, []string{fmt.Sprintf("long %d x", len(long))}},
		"longest line":       {long[:MaxMessage] + "\n<2>b\n", []string{long[:MaxMessage], "<2>b"}},
		"too long, counted":  {fmt.Sprintf("%d <%s4 <2>b", len(long)+1, long), []string{fmt.Sprintf("long %d <", len(long)+1), "<2>b"}},
		"longest, counted":   {fmt.Sprintf("%d <%s4 <2>b", MaxMessage, long[:MaxMessage-1]), []string{"<" + long[:MaxMessage-1], "<2>b"}},
	} {
		rng := rand.New(rand.NewPCG(1, 1))
		for _, piece := range []func() int{func() int { return 1 << 30 }, func() int { return 64 << 10 }, func() int { return 1 + rng.IntN(3) }} {
			if len(c.stream) > 1000 && piece() < 10 {
				continue // a megabyte bit by bit
			}
			got, err := cut(t, &splitter{}, c.stream, piece)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v %.400s", name, err, diff)
			}
		}
	}
}

func TestRELPFrames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxMessage+7)
	for name, c := range map[string]struct {
		stream string
		want   []string
		bad    bool
	}{
		"frames":          {"1 open 3 a=b\n2 syslog 4 <1>a\n3 close 0\n", []string{"1 open a=b", "2 syslog <1>a", "3 close "}, false},
		"ends within":     {"2 syslog 5 a\nb\nc\n", []string{"2 syslog a\nb\nc"}, false},
		"too long":        {fmt.Sprintf("2 syslog %d %s\n3 close 0\n", len(long), long), []string{fmt.Sprintf("2 syslog long %d x", len(long)), "3 close "}, false},
		"longest":         {fmt.Sprintf("2 syslog %d %s\n3 close 0\n", MaxMessage, long[7:]), []string{"2 syslog " + long[7:], "3 close "}, false},
		"cut off":         {"2 syslog 4 <1>a\n3 syslog 4 <1", []string{"2 syslog <1>a"}, false},
		"syslog, no RELP": {"<134>Nov  2 09:00:01 web app: hello\n", nil, true},
		"wrong length":    {"2 syslog 3 <1>a\n", nil, true},
		"no length":       {"2 syslog x abc\n", nil, true},
		"no command":      {"2\n", nil, true},
		"absurd":          {"2 syslog 999999999 a", nil, true},
		"long number":     {"2222222222222 syslog 1 a\n", nil, true},
		"http":            {"GET / HTTP/1.1\r\n\r\n", nil, true},
	} {
		for _, size := range []int{1 << 30, 64 << 10, 1} {
			if size == 1 && len(c.stream) > 1000 {
				continue
			}
			got, err := cut(t, &relp{}, c.stream, func() int { return size })
			if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.bad {
				t.Errorf("%s: %v %.400s", name, err, diff)
			}
		}
	}
}

// However a stream comes, the same is cut out of it, and nothing but line ends and lengths
// is lost of it.
func FuzzSplitter(f *testing.F) {
	for _, s := range []string{"<1>a\n<2>b\r\n", "4 <1>a5 <2>bc", "4 <1>a<2>b\n5 <3>cd\n", "12 monkeys\n", "4 <1>a9 <2>b", "99999999 <"} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		whole, _ := cut(t, &splitter{}, string(stream), func() int { return 1 << 30 })
		parts, _ := cut(t, &splitter{}, string(stream), func() int { return 1 + int(size) })
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzRELP(f *testing.F) {
	for _, s := range []string{"1 open 3 a=b\n2 syslog 4 <1>a\n3 close 0\n", "2 syslog 5 a\nb\nc\n", "2 syslog 3 <1>a\n", "<134>x", "2 syslog 99999999 a"} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		whole, err := cut(t, &relp{}, string(stream), func() int { return 1 << 30 })
		parts, err2 := cut(t, &relp{}, string(stream), func() int { return 1 + int(size) })
		if diff := cmp.Diff(whole, parts); diff != "" || (err == nil) != (err2 == nil) {
			t.Errorf("%v, %v: %s", err, err2, diff)
		}
	})
}
