package main

import "vigil/internal/config"

type schemaCommand struct {
	Of string `arg:"" optional:"" enum:"serve,collect" default:"serve" help:"Of which file: serve (vigil.yaml) or collect."`
}

// Help is shown below the flags.
func (schemaCommand) Help() string {
	return `Prints the JSON Schema of the configuration, by which editors complete keys and show what is wrong while
it is written. Many editors take it from a comment in the file's first line.

Examples:

    vigil schema > vigil.schema.json
    sed -i '1i # yaml-language-server: $schema=./vigil.schema.json' vigil.yaml`
}

// Run prints the schema.
func (c *schemaCommand) Run(io streams) error {
	text := config.Schema()
	if c.Of == "collect" {
		text = config.SchemaCollect()
	}
	_, err := io.out.Write(text)
	return err
}
