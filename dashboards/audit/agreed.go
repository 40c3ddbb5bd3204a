package audit

import (
	"fmt"
	"strings"

	"vigil/dashboards/document"
	"vigil/dashboards/phrase"
)

func vendors(v *Vendors) section {
	s := section{Key: "vendors", Heading: "What vendors took, against their contracts"}
	outside := 0
	for i := range v.Rows {
		if len(v.Rows[i].Outside) > 0 {
			outside++
		}
	}
	n := int64(len(v.Rows) + v.More)
	switch {
	case !v.Told:
		s.Lead = append(s.Lead, "No feed tells of contracts, so nothing can be held against what was agreed. Give vigil a feed of the kind contract.")
	case n == 0:
		s.Lead = append(s.Lead, fmt.Sprintf("%s in force; nobody whom one is for took anything in the period.", inForce(v.Contracts)))
	default:
		s.Lead = append(s.Lead, fmt.Sprintf("%s in force. Of %s that a contract is for and that took something, %s outside of it.",
			inForce(v.Contracts), phrase.Plural(n, "account", "accounts"), went(outside)))
	}
	s.Lead = append(s.Lead, v.Sample.sampled("What vendors took was counted", higher))
	t := table{
		Title: "Taken against agreed",
		Columns: []column{document.Left("Account", 21), document.Left("Contract", 14), document.Left("Agreed", 25), document.Right("Accesses", 11), document.Right("Customers", 11),
			document.Right("Most a day", 9), document.Right("Rows", 11), document.Left("Outside the contract", 24)},
		Note: more(v.More, "accounts are"),
	}
	for i := range v.Rows {
		x := &v.Rows[i]
		what := cell{Text: "nothing", Tone: toneGood}
		if len(x.Outside) > 0 {
			what = cell{Text: phrase.Prose(outsides(x.Outside), 320), Tone: toneBad}
		}
		t.Rows = append(t.Rows, []cell{document.Name(x.Account), document.Name(x.Contract), document.Text(x.Agreed), document.Number(x.Accesses), document.Number(x.Customers),
			document.Number(x.MaxDay), document.Number(x.Rows), what})
	}
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
	if len(v.Without) > 0 {
		t := table{Title: "Vendors without a contract that is known", Columns: []column{document.Left("Account", 100)}}
		rows, left := cut(v.Without, MaxRows)
		for _, w := range rows {
			t.Rows = append(t.Rows, []cell{document.Name(w)})
		}
		t.Note = more(left, "accounts are")
		s.Tables = append(s.Tables, t)
	}
	return s
}

func inForce(n int) string {
	if n == 1 {
		return "1 contract was"
	}
	return phrase.Count(int64(n)) + " contracts were"
}

func went(n int) string {
	switch n {
	case 0:
		return "none went"
	case 1:
		return "1 went"
	}
	return phrase.Count(int64(n)) + " went"
}

func outsides(all []Outside) string {
	var out []string
	for _, o := range all {
		n := phrase.Plural(o.Accesses, "access", "accesses")
		if o.Accesses == 0 {
			n = phrase.Plural(o.Days, "day", "days")
		}
		out = append(out, o.What+": "+n)
	}
	return strings.Join(out, "; ")
}

func consent(c *Consent) section {
	s := section{Key: "consent", Heading: "Reads after consent had ended"}
	n := int64(len(c.Findings) + c.More)
	switch {
	case !c.Told && n == 0:
		s.Lead = append(s.Lead, "No feed tells of consent, so reads after its end can't be seen. Give vigil a feed of the kind consent.")
	case n == 0:
		s.Lead = append(s.Lead, "No reads were found of customers who had withdrawn their consent or asked to be erased more than a day before.")
	default:
		s.Lead = append(s.Lead, fmt.Sprintf("%s of %s after their consent had ended or erasure was asked for, with %s: copies have a day to follow, and a legal hold is heeded.",
			phrase.Plural(n, "finding tells", "findings tell"), customers(c.Customers), phrase.Plural(c.Reads, "access", "accesses")))
	}
	return withFindings(s, "Findings", c.Findings, c.More)
}

func customers(n int64) string {
	if n < 0 {
		return "reads of customers' data"
	}
	return "reads of data of " + phrase.Plural(n, "customer", "customers")
}

func withFindings(s section, title string, list []Finding, left int) section {
	if len(list) == 0 {
		return s
	}
	t := table{
		Title:   title,
		Columns: []column{document.Left("Detected", 15), document.Left("Severity", 10), document.Left("About", 20), document.Left("What was found", 44), document.Left("Verdict", 11)},
	}
	rows, cutOff := cut(list, MaxRows)
	for _, f := range rows {
		t.Rows = append(t.Rows, []cell{document.Moment(f.Detected), severity(f.Severity), document.Name(f.Who), found(&f), verdict(f.Verdict)})
	}
	t.Note = more(left+cutOff, "findings are")
	return with(s, t)
}

// found says what a finding says, and by which id it is looked up.
func found(f *Finding) cell {
	return cell{Text: join(phrase.Prose(f.Sentence, 260), "("+phrase.Text(f.ID, 40)+")")}
}
