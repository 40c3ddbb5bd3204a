package config

// NATS reads a JetStream stream.
type NATS struct{}

func (k *NATS) check(*checker, string) {}
