package redis_test

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/redis"
)

// readCommand reads a command as clients send it: a count, and each word after its length.
func readCommand(in *bufio.Reader) (string, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSpace(head[1:]))
	if err != nil {
		return "", err
	}
	var words []string
	for i := range 2 * n {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if i%2 == 1 {
			words = append(words, strings.TrimSpace(line))
		}
	}
	return strings.Join(words, " "), nil
}

// A stop does not wait for a server that hangs, whatever it was asked last.
func TestStopOfAHungServer(t *testing.T) {
	t.Parallel()
	open := func(address string) (collectors.Collector, error) {
		cfg := config(&server{open: true})
		cfg.URL = "redis://" + address
		return redis.New(cfg, redis.Options{})
	}
	for _, last := range []string{"CLIENT INFO", "CLIENT SETNAME vigil", "INFO server", "MONITOR", "CLIENT LIST", "PING"} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			collectorstest.Hangs(t, open, func(conn net.Conn, hung func()) {
				in := bufio.NewReader(conn)
				for {
					command, err := readCommand(in)
					switch {
					case err != nil:
						return
					case command == last:
						hung()
						_, _ = io.Copy(io.Discard, in)
						return
					}
					if _, err := io.WriteString(conn, "+OK\r\n"); err != nil {
						return
					}
				}
			})
		})
	}
}
