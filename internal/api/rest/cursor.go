package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"vigil/internal/api"
)

// A cursor is where a list goes on: the sort key of the last thing that was given. So what
// is added or removed meanwhile makes nothing come twice, or not at all. It is opaque to who
// has it, and holds no secret: a version, a sum over the list, its filter and the key, and
// the key. The sum tells one that was cut, changed, or taken from another list or filter.

// cursorVersion is the first byte of a cursor. It grows with what stands in one.
const cursorVersion = 1

// cursorSum is how many bytes of the sum stand in a cursor.
const cursorSum = 8

// page is what a list takes besides its filter.
type page struct {
	// At most so many.
	Limit int `query:"limit" default:"100" min:"1" max:"500"`
	// Where to go on: the next of the answer before this one.
	Cursor string `query:"cursor"`
}

// cursorOf makes the cursor of a list, with this filter, after a key. Key and filter
// are what JSON can say.
func cursorOf(list string, filter, key any) (string, error) {
	text, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	sum, err := sumOf(list, filter, text)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{cursorVersion}, sum...), text...)), nil
}

// readCursor reads a cursor into the key; ok is false for one that is empty.
func readCursor(cursor, list string, filter, key any) (ok bool, bad *api.Problem) {
	if cursor == "" {
		return false, nil
	}
	bad = badRequest("The cursor is not one of this list and these parameters. Begin anew, without one.")
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) < 1+cursorSum || data[0] != cursorVersion {
		return false, bad
	}
	text := data[1+cursorSum:]
	sum, err := sumOf(list, filter, text)
	if err != nil || string(sum) != string(data[1:1+cursorSum]) || json.Unmarshal(text, key) != nil {
		return false, bad
	}
	return true, nil
}

func sumOf(list string, filter any, key []byte) ([]byte, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, part := range [][]byte{[]byte(list), text, key} {
		h.Write(part)
		h.Write([]byte{0})
	}
	return h.Sum(nil)[:cursorSum], nil
}
