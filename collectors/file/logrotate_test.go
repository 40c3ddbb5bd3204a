package file_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// logrotate finds Debian's program, which lies where not everybody's path leads.
func logrotate(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"logrotate", "/usr/sbin/logrotate"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("logrotate is not installed: apt-get install logrotate")
	return ""
}

// The real logrotate, in the ways in which distributions set it up.
func TestTailLogrotate(t *testing.T) {
	t.Parallel()
	program := logrotate(t)
	for name, ways := range map[string]string{
		"create":                     "create 0600",
		"copytruncate":               "copytruncate",
		"compress and delaycompress": "create 0600\n\tcompress\n\tdelaycompress",
		"compress":                   "create 0600\n\tcompress",
		"copytruncate and compress":  "copytruncate\n\tcompress",
		"dateext":                    "create 0600\n\tdateext\n\tdateformat -%Y%m%d-%s",
	} {
		for _, glob := range []string{"help.log*", "help.log"} {
			t.Run(name+" "+glob, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := filepath.Join(dir, "help.log")
				conf := filepath.Join(dir, "rotate.conf")
				appendTo(t, conf, fmt.Sprintf("%q {\n\tsize 1\n\trotate 20\n\tnomail\n\t%s\n}\n", path, ways))
				l := &ledger{}
				stop := follow(t, tail(t, nil, filepath.Join(dir, glob)), l)
				n, rotated := 0, int64(0)
				for round := range 5 {
					if round%2 == 1 {
						// What was read up to here is all that the collector knows of the file.
						eventually(t, "what came before", l.has(n))
						if err := stop(); err != nil {
							t.Fatal(err)
						}
					}
					appendTo(t, path, lines(n, n+10, time.Second))
					n += 10
					if round%2 == 0 {
						// A file that came and went between two looks was never seen.
						eventually(t, "the file is seen", l.has(n))
					}
					appendTo(t, path, lines(n, n+40, time.Second))
					n += 40
					if name == "dateext" {
						eventually(t, "a second with a name of its own", func() bool { return time.Now().Unix() > rotated+1 })
						rotated = time.Now().Unix()
					}
					out, err := exec.CommandContext(t.Context(), program, "--force", "--state", filepath.Join(dir, "state"), conf).CombinedOutput()
					if err != nil {
						t.Fatalf("logrotate: %v: %s", err, out)
					}
					if info, err := os.Stat(path); err != nil || info.Size() != 0 {
						t.Fatalf("logrotate has not rotated: %v %v: %s", info, err, out)
					}
					appendTo(t, path, lines(n, n+20, time.Second))
					n += 20
					if round%2 == 1 {
						stop = follow(t, tail(t, nil, filepath.Join(dir, glob)), l)
					}
					eventually(t, fmt.Sprintf("%d lines", n), l.has(n))
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				ids, quar, _ := l.state()
				once(t, ids, n)
				if got := l.seen(); len(got)+len(quar) != 0 {
					t.Errorf("%+v %+v", got, quar)
				}
			})
		}
	}
}
