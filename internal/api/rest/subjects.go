package rest

import (
	"context"

	"vigil/internal/api"
)

func (h *Handler) subjects() resource {
	return resource{name: "subjects", thing: "case", there: h.do.Subjects != nil, endpoints: []endpoint{
		on("GET /api/v1/cases/{id}/subjects", "listCaseSubjects", "Lists the customers whose data a case's accesses touched, by pseudonym.", h.listCaseSubjects),
	}}
}

type touchFilter struct {
	// Only those whose data was surely seen, or may have been.
	Touch api.Touch `query:"touch" enum:"confirmed,possible"`
	// Only those of whom data of this class was touched.
	Class string `query:"class"`
}

type listCaseSubjects struct {
	caseID
	touchFilter
	page
}

// SubjectList is a part of the customers of a case, in the order of their pseudonyms.
type SubjectList struct {
	// Sum counts all of the case, whatever the filter.
	Sum      api.TouchSum  `json:"sum"`
	Subjects []api.Touched `json:"subjects"`
	// Total is how many fit the filter.
	Total int `json:"total"`
	// Next is the cursor of what follows; not there at the end.
	Next string `json:"next,omitempty"`
}

func (h *Handler) listCaseSubjects(ctx context.Context, in listCaseSubjects) (out SubjectList, err error) {
	f := api.TouchFilter{Touch: in.Touch, Limit: in.Limit}
	if in.Class != "" {
		f.Class = &in.Class
	}
	of := struct {
		caseID
		touchFilter
	}{in.caseID, in.touchFilter}
	if _, bad := readCursor(in.Cursor, "subjects", of, &f.After); bad != nil {
		return out, bad
	}
	page, err := h.do.Subjects.CaseSubjects(ctx, in.ID, f)
	if err != nil {
		return out, err
	}
	out.Sum, out.Subjects, out.Total = page.Sum, page.List, page.Total
	if page.Next != "" {
		out.Next, err = cursorOf("subjects", of, page.Next)
	}
	return out, err
}
