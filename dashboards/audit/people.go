package audit

import (
	"fmt"
	"slices"
	"time"

	"vigil/dashboards/document"
	"vigil/dashboards/phrase"
)

// higher is what a sample means for sums.
const higher = ": the true figures are higher"

// sampled says of what part figures are that need each event.
func (s Sample) sampled(what, so string) string {
	if !s.Partial() {
		return ""
	}
	return fmt.Sprintf("%s in a sample of %s of the %s events kept, spread evenly over the time%s.",
		what, phrase.Count(s.Looked), phrase.Count(s.Held), so)
}

func access(a *Access) section {
	s := section{Key: "access", Heading: "Who has access, and who used it"}
	if a.Directory {
		s.Lead = append(s.Lead, fmt.Sprintf("By the directory %s access; %s of them used it in the period, and %s used it that the directory does not name.",
			have(a.Known), people(a.UsedKnown), accounts(a.Used-a.UsedKnown)))
	} else {
		s.Lead = append(s.Lead, fmt.Sprintf("No feed tells of a directory, so who has access is not known: %s used it in the period. Give vigil a feed of the kind person to have access held against use.",
			accounts(a.Used)))
	}
	s.Lead = append(s.Lead, join(
		"An access is an event that shows data and was not refused. Customers are those that the logs name, counted once each, to within about one in a hundred.",
		a.Sample.sampled("Accounts, accesses and customers were counted", higher)))
	s.Figures = []figure{
		{Value: people(a.Used), Word: "accounts used access"},
		{Value: phrase.Count(a.Accesses), Word: "accesses"},
		{Value: phrase.Count(a.Customers), Word: "customers named in them"},
		{Value: phrase.Count(a.Unnamed), Word: "accesses that named no customer"},
	}
	if a.Directory {
		s.Figures = append([]figure{{Value: people(a.Known), Word: "accounts have access"}}, s.Figures...)
	}
	groups := table{
		Title:   "By role and team",
		Columns: []column{document.Left("Role and team", 34), document.Right("Used it", 13), document.Right("Accesses", 16), document.Right("Customers", 16)},
		Empty:   "Nobody used access in the period.",
		Note:    "Groups of fewer than five people are put together, and what fewer than five people did is not shown (–): the report measures nobody's work.",
	}
	if a.Directory {
		groups.Columns = slices.Insert(groups.Columns, 1, document.Right("Have access", 13))
	}
	byStore := table{
		Title:   "By store",
		Columns: []column{document.Left("Role and team", 34), document.Left("Store", 26), document.Right("Accounts", 12), document.Right("Accesses", 14), document.Right("Customers", 14)},
	}
	for _, g := range a.Groups {
		row := []cell{document.Text(g.Name)}
		if a.Directory {
			row = append(row, counted(g.With, g.Machine))
		}
		row = append(row, counted(g.Used, g.Machine))
		groups.Rows = append(groups.Rows, append(row, volumes(g.Withheld, g.Accesses, g.Customers)...))
		for _, u := range g.Stores {
			row := []cell{document.Text(g.Name), document.Name(u.Store), counted(u.Used, g.Machine)}
			byStore.Rows = append(byStore.Rows, append(row, volumes(u.Withheld, u.Accesses, u.Customers)...))
		}
	}
	rows, left := cut(byStore.Rows, MaxRows)
	byStore.Rows, byStore.Note = rows, more(left, "rows are")
	s.Tables = append(s.Tables, groups)
	if stores := storesOf(a.Groups); len(stores) == 1 {
		groups.Note = join("All of it was on the store "+phrase.Text(stores[0], 80)+".", groups.Note)
		s.Tables[0] = groups
	} else if len(byStore.Rows) > 0 {
		s.Tables = append(s.Tables, byStore)
	}
	return with(s, accountList(a))
}

// storesOf lists the stores that are told apart.
func storesOf(groups []Group) (out []string) {
	for _, g := range groups {
		for _, u := range g.Stores {
			if !slices.Contains(out, u.Store) {
				out = append(out, u.Store)
			}
		}
	}
	return out
}

func with(s section, t table) section { s.Tables = append(s.Tables, t); return s }

// have says that so many accounts have something.
func have(n int) string {
	if n == 1 {
		return "1 account has"
	}
	return phrase.Count(int64(n)) + " accounts have"
}

func accounts(n int) string {
	if n > 1 && n < Few {
		return "fewer than five accounts"
	}
	return phrase.Plural(int64(n), "account", "accounts")
}

// counted counts accounts, as people unless they are machines.
func counted(n int, machine bool) cell {
	if machine {
		return document.Number(int64(n))
	}
	return cell{Text: people(n)}
}

func volumes(withheld bool, ns ...int64) (out []cell) {
	for _, n := range ns {
		if withheld {
			out = append(out, cell{Text: phrase.None, Tone: toneSoft})
			continue
		}
		out = append(out, document.Number(n))
	}
	return out
}

func accountList(a *Access) table {
	t := table{
		Title:   "Accounts, access against use",
		Columns: []column{document.Left("Account", 30), document.Left("Role", 18), document.Left("Team", 18), document.Left("Directory", 16), document.Left("Used", 12)},
		Empty:   "No account is known.",
		Note:    more(a.More, "accounts are"),
	}
	list, left := cut(a.Accounts, MaxAccounts)
	if left > 0 {
		t.Note = more(left+a.More, "accounts are")
	}
	for _, x := range list {
		known := cell{Text: "has access"}
		switch {
		case !x.Known && !a.Directory:
			known = cell{Text: "no directory", Tone: toneSoft}
		case !x.Known:
			known = cell{Text: "not named", Tone: toneWarn}
		case !x.Left.IsZero():
			known = cell{Text: "left " + x.Left.UTC().Format("2 Jan 2006"), Tone: toneWarn}
		}
		used := cell{Text: "no", Tone: toneSoft}
		if x.Used {
			used = cell{Text: "yes"}
		}
		role := document.Text(x.Role)
		if x.Role == "" {
			role = document.Text(phrase.Kind(x.Kind))
		}
		t.Rows = append(t.Rows, []cell{document.Name(x.Actor), role, document.Text(x.Team), known, used})
	}
	return t
}

func dormant(d *Dormant, to time.Time) section {
	s := section{Key: "dormant", Heading: "Dormant accounts, and those who left"}
	days := int(to.Sub(d.Since).Hours() / 24)
	n := len(d.Accounts) + d.More
	s.Lead = append(s.Lead, fmt.Sprintf("%s no access in the %d days before the end of the period; %s some.", had(n), days, had(d.Active)))
	if d.Watched.After(d.Since) {
		s.Lead = append(s.Lead, fmt.Sprintf("Accesses are kept since %s only, so an account without any may have been used before that.", d.Watched.UTC().Format("2 January 2006")))
	}
	switch {
	case !d.Directory:
		s.Lead = append(s.Lead, "No feed tells of a directory: accounts that were never used, and people who left, are not known.")
	case len(d.Leavers) == 0:
		s.Lead = append(s.Lead, "No account was used after its person had left.")
	default:
		s.Lead = append(s.Lead, fmt.Sprintf("%s used in the period after the person had left: close such accounts, and see the findings about them.", were(len(d.Leavers))))
	}
	s.Figures = []figure{counts(n, "dormant account", "dormant accounts")}
	leavers := counts(len(d.Leavers), "account used after the person left", "accounts used after the person left")
	if len(d.Leavers) > 0 {
		leavers.Tone = toneBad
	}
	s.Figures = append(s.Figures, leavers)
	if len(d.Leavers) > 0 {
		t := table{Title: "Used after the person left", Columns: []column{document.Left("Account", 30), document.Left("Role", 20), document.Left("Left", 16), document.Left("First access after", 20), document.Left("Last", 20)}}
		rows, left := cut(d.Leavers, MaxRows)
		for _, x := range rows {
			t.Rows = append(t.Rows, []cell{document.Name(x.Actor), document.Text(join(x.Role, x.Team)), document.Day(x.Left), document.Moment(x.First).Toned(toneBad), document.Moment(x.Last)})
		}
		t.Note = more(left, "accounts are")
		s.Tables = append(s.Tables, t)
	}
	t := table{
		Title:   "Dormant accounts",
		Columns: []column{document.Left("Account", 32), document.Left("Role", 20), document.Left("Team", 20), document.Left("Directory", 14), document.Left("Last access", 16)},
		Empty:   "None.",
	}
	rows, left := cut(d.Accounts, MaxRows)
	for _, x := range rows {
		known := cell{Text: "named"}
		if !x.Known {
			known = cell{Text: "not named", Tone: toneSoft}
		}
		last := document.Day(x.Last)
		if x.Last.IsZero() {
			last = cell{Text: "none kept", Tone: toneSoft}
		}
		t.Rows = append(t.Rows, []cell{document.Name(x.Actor), document.Text(x.Role), document.Text(x.Team), known, last})
	}
	t.Note = more(left+d.More, "accounts are")
	return with(s, t)
}

func had(n int) string { return phrase.Plural(int64(n), "account", "accounts") + " had" }

func were(n int) string {
	if n == 1 {
		return "1 account was"
	}
	return phrase.Count(int64(n)) + " accounts were"
}
