package email

import (
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"

	"vigil/alerts"
)

// draft is a mail before it has its form.
type draft struct {
	From mail.Address
	To   []mail.Address
	Date time.Time
	// ID and Root are Message-IDs without their brackets: the mail's, and its thread's
	// first. First says that it is the first.
	ID, Root string
	First    bool
	Subject  string
	// List is the List-Id.
	List   string
	Urgent bool
	Card   alerts.Card
	// News says what is new since the last mail of the thread, empty for the first.
	News string
}

// message gives the draft its form.
func (d draft) message() (*gomail.Msg, error) {
	html, err := d.html()
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&d.From)
	for i := range d.To {
		m.AddToMailAddress(&d.To[i])
	}
	m.SetDateWithValue(d.Date)
	m.SetMessageIDWithValue(d.ID)
	subject := d.Subject
	if !d.First {
		m.SetGenHeader(gomail.HeaderInReplyTo, "<"+d.Root+">")
		m.SetGenHeader(gomail.HeaderReferences, "<"+d.Root+">")
		subject = "Re: " + subject
	}
	m.Subject(subject)
	if d.Urgent {
		m.SetImportance(gomail.ImportanceHigh)
	}
	m.SetGenHeader("List-Id", d.List)
	// No holiday notes are to come back (RFC 3834).
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	m.SetBodyString(gomail.TypeTextPlain, d.text())
	m.AddAlternativeString(gomail.TypeTextHTML, html)
	return m, nil
}
