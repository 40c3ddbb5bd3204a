// Package grafana makes the dashboards that Grafana shows of what vigil writes to
// InfluxDB, and the files that provision them: who reads how much, what was found, how the
// sources are, and how the program itself is.
//
// Everything is made by this program and nothing by hand: the JSON in the folder json is
// what Files gives by default, and a test says when it is not. The command vigil grafana
// writes the files. A dashboard is a function in a file of its own; its panels say in a
// description which question they answer, and their queries group before they window,
// since InfluxDB takes long to window many series. Functions here keep nothing and may be
// called side by side.
package grafana

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// Options is what differs from place to place.
type Options struct {
	// URL is InfluxDB's address as Grafana reaches it; empty means http://127.0.0.1:8086.
	URL string
	// Bucket is where vigil writes; for InfluxDB 1.8 it is database/retention-policy.
	// Empty means vigil/autogen.
	Bucket string
	// Org is the organisation. InfluxDB 1.8 has none, and Grafana asks for one: empty
	// means "-".
	Org string
	// Dashboards is the folder with the dashboards as Grafana sees it. Required.
	Dashboards string
}

// TokenVariable is the environment variable of Grafana from which it takes InfluxDB's
// token: no secret stands in a file.
const TokenVariable = "VIGIL_INFLUX_TOKEN"

// File is one file for Grafana.
type File struct {
	// Path is relative, with slashes.
	Path string
	Text []byte
}

// Files makes all files: the dashboards, and what provisions them and their source. The
// error says which option is wrong.
func Files(opts Options) ([]File, error) {
	if opts.URL == "" {
		opts.URL = "http://127.0.0.1:8086"
	}
	if opts.Bucket == "" {
		opts.Bucket = "vigil/autogen"
	}
	if opts.Org == "" {
		opts.Org = "-"
	}
	u, err := url.Parse(opts.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return nil, errors.New("the url is no address such as http://127.0.0.1:8086")
	case u.User != nil:
		return nil, fmt.Errorf("the url holds a user or password: give Grafana the token in the environment variable %s instead", TokenVariable)
	case strings.ContainsAny(opts.Bucket, "\"\\$\n"):
		return nil, fmt.Errorf("the bucket %q has a character that no query can hold: a quote, a backslash, a dollar sign or a line end", opts.Bucket)
	case opts.Dashboards == "":
		return nil, errors.New("the folder of the dashboards, as Grafana sees it, is missing")
	}
	files := []File{
		{"provisioning/datasources/vigil.yaml", datasource(opts)},
		{"provisioning/dashboards/vigil.yaml", provider(opts)},
	}
	for _, d := range dashboards(opts.Bucket) {
		text, err := encode(d)
		if err != nil {
			return nil, fmt.Errorf("write dashboard %s: %w", d.UID, err)
		}
		files = append(files, File{path.Join("dashboards", d.UID+".json"), text})
	}
	return files, nil
}

func dashboards(bucket string) []dashboard {
	return []dashboard{access(bucket), findings(bucket), sources(bucket), program(bucket)}
}

func encode(d dashboard) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // queries are full of > and &
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
