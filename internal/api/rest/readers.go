package rest

import (
	"context"
	"time"

	"vigil/internal/api"
)

func (h *Handler) readers() resource {
	return resource{name: "readers", thing: "customer", there: h.do.Readers != nil, endpoints: []endpoint{
		on("POST /api/v1/readers", "findReaders", "Tells who has read a customer. The purpose is kept in the audit log; the id is not, its pseudonym is.", h.findReaders).unkept(),
	}}
}

// ReadersQuestion asks who has read a customer.
type ReadersQuestion struct {
	// Customer is their id as the store has it, or their pseudonym.
	Customer string `json:"customer"`
	// Tenant is whose customer it is, by the name in the sources' configuration; empty looks in all.
	Tenant string `json:"tenant,omitempty"`
	// Purpose says why one asks, in a sentence. Required.
	Purpose string `json:"purpose"`
}

type findReaders struct {
	Body ReadersQuestion `body:""`
}

// ReaderList is who has read a customer, who read last first.
type ReaderList struct {
	// Subjects are the customer's pseudonyms: one in each tenant that was asked for.
	Subjects []string `json:"subjects"`
	// Since is from when on events are kept; not there where there are none.
	Since   time.Time     `json:"since,omitzero"`
	Readers []api.Reading `json:"readers"`
	// More readers there are that are not listed.
	More int `json:"more,omitempty"`
	// Accesses counts all of them, of all readers.
	Accesses int64 `json:"accesses"`
	// Damaged counts parts of the log that could not be read: what they hold is missing.
	Damaged int `json:"damaged,omitempty"`
}

func (h *Handler) findReaders(ctx context.Context, in findReaders) (ReaderList, error) {
	ids, err := h.do.Readers.AskReaders(ctx, api.ReadersAsk{Customer: in.Body.Customer, Tenant: in.Body.Tenant, Purpose: in.Body.Purpose})
	if err != nil {
		return ReaderList{}, err
	}
	page, err := h.do.Readers.Readers(ctx, ids)
	return ReaderList(page), err
}
