package salesforce

import (
	"slices"
	"strings"

	"vigil"
)

// userID is a user's id in the one form by which the same user is one actor everywhere:
// event log files have the 15 characters, other records those and three more that sum up
// which of them are capitals. An id whose sum is wrong is no such id and left as it is.
func userID(id string) string {
	if strings.Trim(id, "0A") == "" {
		return "" // nobody
	}
	if len(id) == 18 && id[15:] == capitals(id[:15]) {
		return id[:15]
	}
	return id
}

// capitals are the three last characters of an id of 18: of each five characters of the
// id, from the last to the first, a bit for each capital.
func capitals(id string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	out := make([]byte, 0, 3)
	for five := range slices.Chunk([]byte(id), 5) {
		n := 0
		for i, c := range five {
			if c >= 'A' && c <= 'Z' {
				n |= 1 << i
			}
		}
		out = append(out, digits[n])
	}
	return string(out)
}

// object is what the first three characters of a record's id say of it.
type object struct {
	name string
	// person says that its id names a customer, talk that it names a conversation.
	person, talk bool
}

// objects are the standard objects that hold customers and what they said, by the
// prefix of their ids.
var objects = map[string]object{
	"001": {name: "Account", person: true},
	"003": {name: "Contact", person: true},
	"00Q": {name: "Lead", person: true},
	"0PA": {name: "MessagingEndUser", person: true},
	"0PK": {name: "Individual", person: true},
	"500": {name: "Case", talk: true},
	"570": {name: "LiveChatTranscript", talk: true},
	"0Mw": {name: "MessagingSession", talk: true},
	"0dw": {name: "Conversation", talk: true},
	"00a": {name: "CaseComment"},
	"00O": {name: "Report"},
	"00P": {name: "Attachment"},
	"00T": {name: "Task"},
	"00U": {name: "Event"},
	"006": {name: "Opportunity"},
	"015": {name: "Document"},
	"005": {name: "User"},
	"00B": {name: "ListView"},
	"01Z": {name: "Dashboard"},
	"02s": {name: "EmailMessage"},
	"068": {name: "ContentVersion"},
	"069": {name: "ContentDocument"},
	"ka0": {name: "Knowledge"},
}

// objectOf is what an id says of its record.
func objectOf(id string) (object, bool) {
	if len(id) != 15 && len(id) != 18 {
		return object{}, false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return object{}, false
		}
	}
	o, ok := objects[id[:3]]
	return o, ok
}

// touch notes the record of that id on the event: a customer, a conversation, or what
// sort of thing it is.
func touch(e *vigil.Event, id string) {
	o, ok := objectOf(id)
	if !ok {
		return
	}
	id = userID(id)
	switch {
	case o.person && len(e.Subjects) < vigil.MaxSubjects && !slices.Contains(e.Subjects, id):
		e.Subjects = append(e.Subjects, id)
	case o.talk && e.Conversation == "":
		e.Conversation = id
	}
	if e.Resource == "" {
		e.Resource = o.name
	}
}
