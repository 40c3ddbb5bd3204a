package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"vigil/collectors/formats"
	"vigil/internal/app"
)

type formatsCommand struct {
	Name string `arg:"" optional:"" help:"Tell of this format alone."`
	JSON bool   `name:"json" help:"Print all as one JSON array."`
}

// Help is shown below the flags.
func (formatsCommand) Help() string {
	return `Lists the logs that vigil reads, and what each tells: who, whose data, how many rows and bytes, whether it
was refused, and from where. The page of each is docs/sources/NAME.md.

Examples:

    vigil formats
    vigil formats cloudtrail
    vigil formats --json | jq -r '.[] | select(.rows == "yes") | .name'`
}

// Run lists.
func (c *formatsCommand) Run(io streams) error {
	list := app.FormatList()
	if c.Name != "" {
		var one []app.FormatInfo
		for _, f := range list {
			if f.Name == c.Name {
				one = append(one, f)
			}
		}
		if len(one) == 0 {
			return &usageError{fmt.Errorf("no format is called %q: there are %s", c.Name, strings.Join(app.FormatNames(), ", "))}
		}
		list = one
	}
	if c.JSON {
		enc := json.NewEncoder(io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(list)
	}
	t := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "format\tof\twho\twhose\trows\tbytes\toutcome\taddress")
	for _, f := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Title, mark(f.Actor), mark(f.Subjects), mark(f.Rows), mark(f.Bytes), mark(f.Outcome), mark(f.Address))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if c.Name != "" && list[0].Note != "" {
		fmt.Fprintf(io.out, "\n%s\n", list[0].Note)
	}
	return nil
}

func mark(t formats.Told) string {
	if t == "" {
		return "-"
	}
	return string(t)
}
