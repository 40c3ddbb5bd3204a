// Package starter writes a first configuration: a vigil.yaml in which the answers to a
// few questions stand as settings and all else as comments, and beside it a file of
// environment variables for the secrets. vigil init calls it; it asks nothing itself.
//
// The text is looked at by the same check as every configuration before anything is
// written. Each file appears whole or not at all, the configuration last. A file that is
// there is replaced only when that was asked for, and the secrets in it are kept even
// then, since senders have them already. Nothing here is for concurrent use.
package starter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"vigil/internal/app"
)

// Choices are what a person decides.
type Choices struct {
	// DataDir is the folder that holds everything vigil keeps, as an absolute path.
	DataDir string
	// Sources are the logs to follow. May be empty when Push is set.
	Sources []app.SuggestedSource
	// Push says that applications send events; a token is made for them.
	Push bool
	// Channel is the id of the Slack channel where findings are told. Empty prints them.
	Channel string
}

// errNothing says what a configuration can't do without.
var errNothing = errors.New("a configuration needs at least one source: name logs, or let an application send events (then make it another way in, of which the file has examples)")

// Check says what is missing.
func (c *Choices) Check() error {
	if len(c.Sources) == 0 && !c.Push {
		return errNothing
	}
	return nil
}

// DefaultDataDir is where data is kept when nobody says otherwise: where the system keeps
// that of services for root, else where the user's own programs do, else in a folder beside.
func DefaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/vigil"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "vigil")
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "share", "vigil")
	}
	dir, err := filepath.Abs("vigil-data")
	if err != nil {
		return "vigil-data" // told when it is looked at
	}
	return dir
}

// UsualLogs lists the places of this machine where logs that vigil reads usually lie.
func UsualLogs() (found []string) {
	for _, dir := range [...]string{
		"/var/log/postgresql", "/var/log/mysql", "/var/log/mariadb", "/var/log/mongodb", "/var/log/redis", "/var/log/elasticsearch",
		"/var/log/nginx", "/var/log/apache2", "/var/log/httpd", "/var/log/caddy", "/var/log/haproxy.log",
	} {
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) > 0 {
			found = append(found, dir)
		} else if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
			found = append(found, dir)
		}
	}
	return found
}

// Path makes a path that a person wrote absolute, since a service has another working
// folder. "~/" is the home folder.
func Path(text string) (string, error) {
	if rest, ok := strings.CutPrefix(text, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the home folder: %w", err)
		}
		text = filepath.Join(home, rest)
	}
	full, err := filepath.Abs(text)
	if err != nil {
		return "", fmt.Errorf("find %q: %w", text, err)
	}
	return full, nil
}

// DataDir makes the folder that a person named absolute, and says why it can't be one.
func DataDir(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", errors.New("name a folder")
	}
	full, err := Path(strings.TrimSpace(text))
	if err != nil {
		return "", err
	}
	for at := full; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return full, nil
		case err == nil:
			return "", fmt.Errorf("%q is no folder", at)
		case at == filepath.Dir(at):
			return full, nil // nothing of it can be looked at; vigil check --live tells
		}
	}
}

// channelID is what Slack's channels are known by.
var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{5,20}$`)

// CheckChannel says why a text is no channel's id. Empty is none.
func CheckChannel(text string) error {
	if text == "" || channelID.MatchString(text) {
		return nil
	}
	return fmt.Errorf("%q is no channel's id: it begins with C and stands in Slack at the end of the channel's details", text)
}
