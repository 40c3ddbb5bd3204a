package config

// Objects reads what is put into a bucket, container or folder.
type Objects struct{}

func (k *Objects) check(*checker, string) {}
