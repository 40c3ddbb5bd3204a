package main

import (
	"fmt"
	"os"
	"path/filepath"

	"vigil/dashboards/grafana"
)

type grafanaCommand struct {
	Dir        string `required:"" placeholder:"DIR" help:"The folder to write into; it is made when it is missing."`
	URL        string `name:"url" default:"http://127.0.0.1:8086" help:"InfluxDB's address, as Grafana reaches it."`
	Bucket     string `default:"vigil/autogen" help:"The bucket to which vigil writes; for InfluxDB 1.8 database/retention-policy."`
	Org        string `default:"-" help:"InfluxDB's organisation; leave it out for InfluxDB 1.8."`
	Dashboards string `placeholder:"DIR" help:"The folder with the dashboards as Grafana sees it, where that is not the one that is written."`
}

// Help is shown below the flags.
func (grafanaCommand) Help() string {
	return fmt.Sprintf(`Writes dashboards for Grafana of what vigil writes to InfluxDB, and the files by which Grafana finds them:

    DIR/dashboards/*.json                     the dashboards
    DIR/provisioning/datasources/vigil.yaml   InfluxDB; the token is taken from Grafana's environment, %s
    DIR/provisioning/dashboards/vigil.yaml    where the dashboards are

Example:

    vigil grafana --dir grafana --url http://influxdb:8086 --org example --bucket vigil`, grafana.TokenVariable)
}

// Run writes the files. Those of the same names are replaced, each whole or not at all.
func (c *grafanaCommand) Run(io streams) error {
	dashboards := c.Dashboards
	if dashboards == "" {
		dir, err := filepath.Abs(c.Dir)
		if err != nil {
			return fmt.Errorf("find the folder %q: %w", c.Dir, err)
		}
		dashboards = filepath.Join(dir, "dashboards")
	}
	files, err := grafana.Files(grafana.Options{URL: c.URL, Bucket: c.Bucket, Org: c.Org, Dashboards: dashboards})
	if err != nil {
		return &usageError{err}
	}
	for _, f := range files {
		path := filepath.Join(c.Dir, filepath.FromSlash(f.Path))
		if err := replaceFile(path, f.Text); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		fmt.Fprintln(io.out, printable(path))
	}
	return nil
}

// replaceFile puts a file that anybody may read in the place of one of that name. One who
// reads meanwhile has the old one or the new one.
func replaceFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".vigil-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone when all went well
	_, err = f.Write(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
