package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/honey"
)

type honeyCommand struct {
	New    honeyNewCommand    `cmd:"" help:"Make customers who do not exist, for you to load, and register them."`
	Add    honeyAddCommand    `cmd:"" help:"Register records that are in the store already, by their identifiers."`
	List   honeyListCommand   `cmd:"" help:"List what is registered."`
	Rotate honeyRotateCommand `cmd:"" help:"Retire old records and make new ones in their place."`
}

// honeyRegister says which register is meant.
type honeyRegister struct {
	Config   string `short:"c" placeholder:"FILE" help:"The configuration whose data folder holds the register."`
	Register string `placeholder:"FILE" help:"The register's file, where there is no configuration."`
	Tenant   string `placeholder:"NAME" help:"The organisation whose records they are."`
}

func (f *honeyRegister) options() app.HoneyOptions {
	return app.HoneyOptions{Config: f.Config, Register: f.Register, Tenant: f.Tenant, Now: time.Now()}
}

// honeyMaking says what people are made, and how they are written.
type honeyMaking struct {
	Like    string   `placeholder:"ID" help:"An identifier as your store gives them, such as cust-104233: the new ones count on from it. UUIDs when left out."`
	Domain  string   `required:"" placeholder:"NAME" help:"The domain of their mail addresses; one that is yours, so that mail to them reaches you."`
	Format  string   `default:"sql" enum:"sql,json,csv" help:"What to write: sql, json or csv (default: ${default})."`
	Table   string   `default:"contacts" placeholder:"NAME" help:"The table that SQL fills (default: ${default})."`
	Columns []string `placeholder:"FIELD[=COLUMN]" help:"What to write, and the columns' names where they differ: id, name, given_name, surname, email, phone, street, postcode, city, country, created_at."`
	Set     []string `sep:"none" placeholder:"COLUMN=TEXT" help:"A column that is the same in all records. May be given several times."`
	MySQL   bool     `name:"mysql" help:"Quote names as MySQL and MariaDB do."`
	Out     string   `short:"o" placeholder:"FILE" help:"Write there instead of to standard output; the file must not exist."`
	Seed    uint64   `placeholder:"N" help:"Make the same people again; they can be guessed by who knows the number."`
}

func (f *honeyMaking) layout() (honey.Layout, error) {
	columns, err := honey.Columns(f.Columns, f.Set)
	if err != nil {
		return honey.Layout{}, &usageError{err}
	}
	return honey.Layout{Format: honey.Format(f.Format), Columns: columns, Table: f.Table, MySQL: f.MySQL}, nil
}

// write has people made and writes them where they were asked for, which is opened
// before anybody is made.
func (f *honeyMaking) write(w io.Writer, l honey.Layout, people func() ([]honey.Person, error)) (err error) {
	wrote := false
	if f.Out != "" {
		file, err := os.OpenFile(f.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("make %s: %w", f.Out, err)
		}
		defer func() {
			if cerr := file.Close(); err == nil {
				err = cerr
			}
			if err != nil || !wrote {
				_ = os.Remove(f.Out) // empty, and what failed is told already
			}
		}()
		w = file
	}
	made, err := people()
	if err != nil {
		if errors.Is(err, honey.ErrConfig) {
			return &usageError{err}
		}
		return err
	}
	if wrote = len(made) > 0; !wrote {
		return nil
	}
	return honey.Write(w, made, l)
}

// names says that the identifiers are among what is written: else the store gives them.
func (f *honeyMaking) names(l honey.Layout) bool {
	return slices.ContainsFunc(l.Columns, func(c honey.Column) bool { return c.Field == "id" })
}

type honeyNewCommand struct {
	Count int      `short:"n" default:"20" placeholder:"N" help:"How many, for each variant (default: ${default})."`
	For   []string `placeholder:"NAME" help:"Whom they are planted for, such as vendors: each gets its own, so that a touched one tells which copy leaked."`

	honeyRegister `embed:""`
	honeyMaking   `embed:""`
}

// Help is shown below the flags.
func (honeyNewCommand) Help() string {
	return `Nobody has a reason to open the record of a customer who does not exist: whoever does is looking around, or
takes everything along. vigil makes such customers, writes them for you to load into your store, and
remembers them; each read of one becomes a finding at once.

Examples:

    vigil honey new -c vigil.yaml --domain help.example.com --like cust-104233 | psql helpdesk
    vigil honey new -c vigil.yaml --domain help.example.com -n 5 --for analytics-vendor,crm-vendor --format csv -o honey.csv
    vigil honey new -c vigil.yaml --domain help.example.com --table public.contacts --columns name,email,phone=phone_number,created_at --set account_id=1`
}

// Run plants.
func (c *honeyNewCommand) Run(io streams) error {
	l, err := c.layout()
	if err != nil {
		return err
	}
	cfg := honey.Config{Count: c.Count, Variants: c.For, Like: c.Like, Domain: c.Domain, Seed: c.Seed, Now: time.Now()}
	named := c.names(l)
	n := 0
	err = c.write(io.out, l, func() (people []honey.Person, err error) {
		if named {
			people, err = app.PlantHoney(c.options(), cfg)
		} else {
			people, err = honey.Make(cfg)
		}
		n = len(people)
		return people, err
	})
	if err != nil {
		return err
	}
	if !named {
		fmt.Fprintln(io.err, "the store gives the identifiers: load the records, then register them with vigil honey add")
		return nil
	}
	fmt.Fprintf(io.err, "%d %s registered; load them, and leave them alone\n", n, plural(int64(n), "record is", "records are"))
	return nil
}

type honeyAddCommand struct {
	IDs []string `arg:"" name:"id" help:"The records' identifiers, as events name them."`
	For string   `placeholder:"NAME" help:"Whom they were planted for."`

	honeyRegister `embed:""`
}

// Help is shown below the flags.
func (honeyAddCommand) Help() string {
	return `For stores that give identifiers themselves: load the records, look the new identifiers up, and register
them.

Examples:

    vigil honey add -c vigil.yaml 104311 104312
    vigil honey add -c vigil.yaml --for crm-vendor 104313`
}

// Run registers.
func (c *honeyAddCommand) Run(io streams) error {
	if err := app.AddHoney(c.options(), c.For, c.IDs); err != nil {
		return err
	}
	fmt.Fprintf(io.err, "%d %s registered\n", len(c.IDs), plural(int64(len(c.IDs)), "record is", "records are"))
	return nil
}

type honeyListCommand struct {
	JSON bool `name:"json" help:"Print one record a line as JSON."`

	honeyRegister `embed:""`
}

// Help is shown below the flags.
func (honeyListCommand) Help() string {
	return `Examples:

    vigil honey list -c vigil.yaml
    vigil honey list --register honey.jsonl --json | jq -r .subject`
}

// Run lists.
func (c *honeyListCommand) Run(io streams) error {
	records, err := app.ListHoney(c.options())
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		for i := range records {
			if err := encoder.Encode(&records[i]); err != nil {
				return err
			}
		}
		return nil
	}
	t := columns(io.out, "record", "planted for", "since", "until")
	for i := range records {
		h := &records[i]
		until := ""
		if !h.To.IsZero() {
			until = h.To.Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", printable(h.Subject), printable(h.Variant), h.From.Format(time.DateOnly), until)
	}
	return t.Flush()
}

type honeyRotateCommand struct {
	Older string `default:"90d" placeholder:"TIME" help:"Retire what was planted longer ago than that (default: ${default})."`
	Keep  string `default:"30d" placeholder:"TIME" help:"For how long a read of a retired record still counts: delete the old rows by then (default: ${default})."`

	honeyRegister `embed:""`
	honeyMaking   `embed:""`
}

// Help is shown below the flags.
func (honeyRotateCommand) Help() string {
	return `Makes as many new records, for the same vendors, as are retired.

Examples:

    vigil honey rotate -c vigil.yaml --domain help.example.com --older 90d | psql helpdesk`
}

// Run rotates.
func (c *honeyRotateCommand) Run(io streams) error {
	var older, keep config.Duration
	for _, d := range []struct {
		flag, text string
		to         *config.Duration
	}{{"--older", c.Older, &older}, {"--keep", c.Keep, &keep}} {
		if err := d.to.UnmarshalText([]byte(d.text)); err != nil {
			return &usageError{fmt.Errorf("%s: %w", d.flag, err)}
		}
	}
	l, err := c.layout()
	if err != nil {
		return err
	}
	if !c.names(l) {
		return &usageError{errors.New("--columns leaves the id out: such records are registered with vigil honey add")}
	}
	made, retired := 0, 0
	err = c.write(io.out, l, func() (people []honey.Person, err error) {
		people, retired, err = app.RotateHoney(c.options(), honey.Config{Like: c.Like, Domain: c.Domain, Seed: c.Seed}, older.Std(), keep.Std())
		made = len(people)
		return people, err
	})
	if err != nil {
		return err
	}
	if retired == 0 {
		fmt.Fprintln(io.err, "nothing is that old; nothing was changed")
		return nil
	}
	fmt.Fprintf(io.err, "%d %s retired, %d new\n", retired, plural(int64(retired), "record is", "records are"), made)
	return nil
}
