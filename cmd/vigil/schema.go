package main

import (
	"vigil/internal/api/rest"
	"vigil/internal/config"
)

type schemaCommand struct {
	Of  string `arg:"" optional:"" enum:"serve,collect" default:"serve" help:"Of which file: serve (vigil.yaml) or collect."`
	API bool   `name:"api" help:"Print the description of the HTTP API instead (OpenAPI 3.1)."`
}

// Help is shown below the flags.
func (schemaCommand) Help() string {
	return `Prints the JSON Schema of the configuration, by which editors complete keys and show what is wrong while
it is written. Many editors take it from a comment in the file's first line.

Examples:

    vigil schema > vigil.schema.json
    sed -i '1i # yaml-language-server: $schema=./vigil.schema.json' vigil.yaml
    vigil schema --api > openapi.json`
}

// Run prints the schema.
func (c *schemaCommand) Run(io streams) error {
	text := config.Schema()
	if c.Of == "collect" {
		text = config.SchemaCollect()
	}
	if c.API {
		text = rest.Description()
	}
	_, err := io.out.Write(text)
	return err
}
