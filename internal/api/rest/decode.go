package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"vigil/internal/api"
)

// maxBody bounds what is read of one request.
const maxBody = 64 << 10

// The tags that say where a field of what an endpoint takes comes from. Fields of an
// embedded struct belong to the struct around it.
const (
	tagPath  = "path"  // an id in the address
	tagQuery = "query" // a parameter of the address
	tagSeen  = "seen"  // the revision that If-Match names, 0 for none
	tagBody  = "body"  // the body, one JSON object; "optional" where it may be left out

	tagEnum    = "enum"    // the values that a parameter may have, with commas between
	tagMin     = "min"     // the least of a number
	tagMax     = "max"     // the most of a number
	tagDefault = "default" // what a parameter is that is not there
)

func badRequest(format string, args ...any) *api.Problem {
	return api.NewProblem(http.StatusBadRequest, "That can't be read", fmt.Sprintf(format, args...))
}

// fieldsOf lists the fields of what an endpoint takes.
func fieldsOf(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Anonymous })
}

// read fills in what an endpoint takes.
func read(w http.ResponseWriter, r *http.Request, into any) *api.Problem {
	v := reflect.ValueOf(into).Elem()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("The address is not encoded as it should be.")
	}
	var known []string
	for _, f := range fieldsOf(v.Type()) {
		to := v.FieldByIndex(f.Index)
		if name, ok := f.Tag.Lookup(tagPath); ok {
			id := r.PathValue(name)
			if !validID(id) {
				return errNoID
			}
			to.SetString(id)
		}
		if name, ok := f.Tag.Lookup(tagQuery); ok {
			known = append(known, name)
			if bad := readParameter(query, name, f.Tag, to); bad != nil {
				return bad
			}
		}
		if _, ok := f.Tag.Lookup(tagSeen); ok {
			revision, bad := readSeen(r)
			if bad != nil {
				return bad
			}
			to.SetInt(int64(revision))
		}
		if how, ok := f.Tag.Lookup(tagBody); ok {
			if bad := readBody(w, r, how == "optional", to.Addr().Interface()); bad != nil {
				return bad
			}
		}
	}
	for name := range query {
		if !slices.Contains(known, name) {
			return badRequest("There is no parameter %.60q here. %s", name, knownWords(known))
		}
	}
	return nil
}

// readSeen reads the revision that who asks looked at: what was changed since, by
// somebody else, is not changed.
func readSeen(r *http.Request) (int, *api.Problem) {
	text := r.Header.Get("If-Match")
	if text == "" || text == "*" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`))
	if err != nil || n < 1 || tagOf(n) != text {
		return 0, badRequest("The header If-Match is not an ETag that was given, such as %s.", tagOf(7))
	}
	return n, nil
}

func knownWords(known []string) string {
	if len(known) == 0 {
		return "This takes none."
	}
	return "This takes: " + strings.Join(known, ", ") + "."
}

// readParameter reads one parameter of the address.
func readParameter(query url.Values, name string, tag reflect.StructTag, to reflect.Value) *api.Problem {
	given := query[name]
	if len(given) > 1 {
		return badRequest("The parameter %q is there %d times: give it once.", name, len(given))
	}
	text := tag.Get(tagDefault)
	if len(given) == 1 && given[0] != "" {
		text = given[0]
	}
	if text == "" {
		return nil
	}
	if _, ok := to.Interface().(time.Time); ok {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || t.Year() < 1970 || t.Year() > 2261 {
			return badRequest("The parameter %q is no time such as 2026-10-01T00:00:00Z.", name)
		}
		to.Set(reflect.ValueOf(t.UTC()))
		return nil
	}
	switch to.Kind() {
	case reflect.Int:
		n, err := strconv.Atoi(text)
		low, high := bounds(tag)
		if err != nil || n < low || n > high {
			return badRequest("The parameter %q is not a number from %d to %d.", name, low, high)
		}
		to.SetInt(int64(n))
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return badRequest("The parameter %q is not true or false.", name)
		}
		to.SetBool(b)
	case reflect.String:
		if list := tag.Get(tagEnum); list != "" && !slices.Contains(strings.Split(list, ","), text) {
			return badRequest("The parameter %q is not one of: %s.", name, strings.ReplaceAll(list, ",", ", "))
		}
		if len(text) > maxParameter {
			return badRequest("The parameter %q is longer than %d bytes.", name, maxParameter)
		}
		to.SetString(text)
	default:
		return api.ErrInside // a mistake in an endpoint, which TestEndpointsAreWellFormed finds
	}
	return nil
}

// maxParameter bounds a parameter of the address.
const maxParameter = 1 << 10

func bounds(tag reflect.StructTag) (low, high int) {
	low, _ = strconv.Atoi(tag.Get(tagMin)) // the tags are tried by a test
	high, _ = strconv.Atoi(tag.Get(tagMax))
	return low, high
}

// readBody reads a body of one JSON object.
func readBody(w http.ResponseWriter, r *http.Request, optional bool, into any) *api.Problem {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return bodyProblem(err)
	}
	if len(data) == 0 && optional {
		return nil
	}
	if err := json.Unmarshal(data, into, json.RejectUnknownMembers(true)); err != nil {
		return badRequest("The body is not the JSON object that is taken here: %s.", bodyFault(err))
	}
	return nil
}

// bodyProblem says why a body could not be read to its end.
func bodyProblem(err error) *api.Problem {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return api.NewProblem(http.StatusRequestEntityTooLarge, "The body is too long", fmt.Sprintf("At most %d bytes are read.", maxBody))
	}
	return badRequest("The body ends too early. Send it again.")
}

// bodyFault says what is wrong with a body, without the words of the library's own types.
func bodyFault(err error) string {
	var kind *json.SemanticError
	if errors.As(err, &kind) {
		at := string(kind.JSONPointer)
		if at == "" {
			at = "the whole"
		}
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Sprintf("%q is not known", at)
		}
		if kind.Err != nil {
			return fmt.Sprintf("%q can't be taken: %v", at, kind.Err)
		}
		return fmt.Sprintf("%q is of another type", at)
	}
	return strings.TrimPrefix(err.Error(), "jsontext: ")
}

// validID tells whether a text can be an id: at most 128 letters, digits and -_.~: signs.
func validID(id string) bool {
	if id == "" || len(id) > 128 || id == "." || id == ".." {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == ':':
		default:
			return false
		}
	}
	return true
}
