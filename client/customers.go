package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"vigil/internal/api"
)

type (
	// Touched is a customer whose data the accesses of a case touched.
	Touched = api.Touched
	// Touch says how sure that is.
	Touch = api.Touch
	// Reading is what one actor read of a customer.
	Reading = api.Reading
)

// How sure it is that data was seen.
const (
	TouchConfirmed = api.TouchConfirmed
	TouchPossible  = api.TouchPossible
)

// TouchFilter narrows a list of customers. The zero filter lists all.
type TouchFilter struct {
	Touch Touch
	// Class is a class of data.
	Class string
	// Page is how many are asked for at once, 1 to 500; zero means 100.
	Page int
}

// CaseSubjects lists the customers whose data a case's accesses touched, in the order of
// their pseudonyms.
func (c *Client) CaseSubjects(ctx context.Context, id string, f TouchFilter) iter.Seq2[Touched, error] {
	q := url.Values{}
	set(q, "touch", string(f.Touch))
	set(q, "class", f.Class)
	return pages[Touched](ctx, c, path("cases", id, "subjects"), q, f.Page, "subjects")
}

// ReadersAsk asks who has read a customer.
type ReadersAsk struct {
	// Customer is their id as the store has it, or their pseudonym.
	Customer string `json:"customer"`
	// Tenant is whose customer it is; empty looks in all.
	Tenant string `json:"tenant,omitempty"`
	// Purpose says why one asks. It is kept in the audit log. Required.
	Purpose string `json:"purpose"`
}

// Readers is who has read a customer, who read last first.
type Readers struct {
	// Subjects are the customer's pseudonyms.
	Subjects []string `json:"subjects"`
	// Since is from when on events are kept, zero for none.
	Since   time.Time `json:"since"`
	Readers []Reading `json:"readers"`
	// More readers there are that are not listed. Accesses counts those of all. Damaged
	// counts parts of the log that could not be read.
	More     int   `json:"more"`
	Accesses int64 `json:"accesses"`
	Damaged  int   `json:"damaged"`
}

// Readers tells who has read a customer.
func (c *Client) Readers(ctx context.Context, ask ReadersAsk) (out Readers, err error) {
	err = c.do(ctx, request{method: http.MethodPost, path: "/readers", body: ask}, &out)
	return out, err
}
