package evaluate

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/gzip"
)

// The set of logins, below the folder of the data.
const (
	loginsFile = "logins/logs_2018.csv.gz"
	usersFile  = "logins/user_ips.json.gz"
)

// Login is one attempt.
type Login struct {
	Time     time.Time
	IP, User string
	Success  bool
	// Attack says that the address is assigned to no user.
	Attack bool
}

// Logins reads the simulated logins in data.
func Logins(data string) ([]Login, error) {
	var users map[string][]string
	if err := unpack(filepath.Join(data, filepath.FromSlash(usersFile)), func(r io.Reader) error {
		return json.UnmarshalRead(r, &users)
	}); err != nil {
		return nil, fmt.Errorf("read the users' addresses: %w", err)
	}
	assigned := map[string]bool{}
	for _, ips := range users {
		for _, ip := range ips {
			assigned[ip] = true
		}
	}
	var out []Login
	if err := unpack(filepath.Join(data, filepath.FromSlash(loginsFile)), func(r io.Reader) (err error) {
		out, err = readLogins(r, assigned)
		return err
	}); err != nil {
		return nil, fmt.Errorf("read the logins: %w", err)
	}
	return out, nil
}

// unpack reads a gzip archive.
func unpack(path string, use func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(path), err)
	}
	return errors.Join(use(z), z.Close())
}

// readLogins reads rows of datetime, source_ip, username, success and
// failure_reason, below a header.
func readLogins(r io.Reader, assigned map[string]bool) ([]Login, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = 5
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		return nil, err
	}
	var out []Login
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		t, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			return nil, fmt.Errorf("login %d: %w", len(out)+1, err)
		}
		success, err := strconv.ParseBool(row[3])
		if err != nil {
			return nil, fmt.Errorf("login %d: %w", len(out)+1, err)
		}
		out = append(out, Login{Time: t, IP: row[1], User: row[2], Success: success, Attack: !assigned[row[1]]})
	}
}

// LoginEvents are logins as events.
func LoginEvents(logins []Login) Events {
	return func(w io.Writer) ([]bool, error) {
		type event struct {
			ID      string    `json:"id"`
			Time    time.Time `json:"time"`
			Actor   string    `json:"actor"`
			Action  string    `json:"action"`
			IP      string    `json:"ip"`
			Outcome string    `json:"outcome"`
		}
		labels := make([]bool, len(logins))
		for i, l := range logins {
			labels[i] = l.Attack
			e := event{ID: strconv.Itoa(i), Time: l.Time, Actor: l.User, Action: "login", IP: l.IP, Outcome: "denied"}
			if l.Success {
				e.Outcome = "success"
			}
			line, err := json.Marshal(e)
			if err != nil {
				return nil, fmt.Errorf("write login %d: %w", i+1, err)
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return nil, err
			}
		}
		return labels, nil
	}
}

// LoginFeatures are what a person would give a forest of each login, from it and
// those before it alone: the hour; whether it succeeded; how rare the address is
// among all logins, and among the user's, as -log of its share; and the share of
// the address's attempts that failed. Forests find what is sparse, so counts that
// grow without end would tell them of the set's beginning instead.
func LoginFeatures(logins []Login) [][]float64 {
	type pair struct{ user, ip string }
	tries, failures, users, pairs := map[string]float64{}, map[string]float64{}, map[string]float64{}, map[pair]float64{}
	out := make([][]float64, len(logins))
	for i, l := range logins {
		at := pair{l.User, l.IP}
		out[i] = []float64{
			float64(l.Time.Hour()), truth(l.Success),
			-math.Log((tries[l.IP] + 1) / float64(i+2)),
			-math.Log((pairs[at] + 1) / (users[l.User] + 2)),
			(failures[l.IP] + 1) / (tries[l.IP] + 2),
		}
		tries[l.IP]++
		users[l.User]++
		pairs[at]++
		failures[l.IP] += 1 - truth(l.Success)
	}
	return out
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
