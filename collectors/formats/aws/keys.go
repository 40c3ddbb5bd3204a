package aws

import (
	"vigil"
	"vigil/collectors/formats"
)

// Keys tells whose data objects in buckets are, by the paths of a mapping that begin
// with no slash: a template such as "chat-logs/{tenant}/*/{conversation}.json" is read as
// a bucket and an object's key.
type Keys struct{ keys *formats.Keys }

// NewKeys compiles the key templates of a mapping, which may be nil.
func NewKeys(m *formats.Mapping) (Keys, error) {
	k, err := formats.NewKeys(m)
	return Keys{k}, err
}

// Fill takes what the first template that fits says of an object into e.
func (k Keys) Fill(e *vigil.Event, bucket, key string) {
	if key == "" {
		return
	}
	var found formats.Found
	if p, ok := k.keys.Match(bucket+"/"+key, &found); ok {
		e.ResourceClass = p.Class
		found.Fill(e, true)
	}
}
