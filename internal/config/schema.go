package config

import _ "embed"

// Schemas of the two files, as JSON Schema (draft 2020-12), for editors. They are
// generated from the types and their comments: go test ./internal/config -run Schema -update.
var (
	//go:embed schema.json
	schema []byte
	//go:embed schema-collect.json
	schemaCollect []byte
)

// Schema is that of vigil.yaml.
func Schema() []byte { return schema }

// SchemaCollect is that of a remote collector's file.
func SchemaCollect() []byte { return schemaCollect }
