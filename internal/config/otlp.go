package config

// OTLP is a source that OpenTelemetry exporters send to: logs and traces, over HTTP where
// events are pushed to and over gRPC at otlp_listen.
type OTLP struct {
	// Token is the bearer token by which a sender is known to be this source. At least 16
	// characters, and no other source's or feed's. Required.
	Token Secret `yaml:"token"`
}
