package grafana

import (
	"encoding/json"
	"fmt"
	"strings"
)

// datasource is the file by which Grafana finds InfluxDB.
func datasource(opts Options) []byte {
	return fmt.Appendf(nil, `# Written by "vigil grafana". It belongs into Grafana's folder provisioning/datasources.
# Grafana takes the token from its environment: set %[1]s to one that may read
# the bucket (for InfluxDB 1.8: user:password).
apiVersion: 1
datasources:
  - name: vigil
    uid: vigil
    type: influxdb
    access: proxy
    url: %[2]s
    jsonData:
      version: Flux
      organization: %[3]s
      defaultBucket: %[4]s
    secureJsonData:
      token: $%[1]s
`, TokenVariable, quote(opts.URL), quote(opts.Org), quote(opts.Bucket))
}

// provider is the file by which Grafana finds the dashboards.
func provider(opts Options) []byte {
	return fmt.Appendf(nil, `# Written by "vigil grafana". It belongs into Grafana's folder provisioning/dashboards.
apiVersion: 1
providers:
  - name: vigil
    folder: vigil
    type: file
    options:
      path: %s
`, quote(opts.Dashboards))
}

// quote writes a text as YAML takes it, JSON being YAML too. A dollar sign would begin the
// name of an environment variable to Grafana; two are one.
func quote(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		return `""` // no text is refused
	}
	return strings.ReplaceAll(string(out), "$", "$$")
}
