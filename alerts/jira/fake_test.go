package jira_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"vigil/alerts/alertstest"
)

// issue is what the fake holds.
type issue struct {
	Fields   map[string]any
	Status   string
	Comments []json.RawMessage
}

// fake is a Jira as its documentation describes it: Cloud or Data Center.
type fake struct {
	cloud bool
	auth  string

	mu     sync.Mutex // guards the rest
	issues []*issue   // SEC-1, SEC-2, ...
	gone   map[string]bool
	calls  []string
	bodies []string
	// priorities are those that the project knows; required fields must be set; blind
	// hides issues from searches, as an index that is behind does.
	priorities []string
	required   string
	blind      bool
	stuck      bool // no transitions
}

func newFake(cloud bool) *fake {
	f := &fake{cloud: cloud, gone: map[string]bool{}, priorities: []string{"Highest", "High", "Medium", "Low"}, auth: "Bearer " + alertstest.Canary}
	if cloud {
		f.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte("vigil@example.com:"+alertstest.Canary))
	}
	return f
}

var statuses = map[string]string{"To Do": "new", "In Progress": "indeterminate", "Done": "done"}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
	f.mu.Lock()
	defer f.mu.Unlock()
	api, search := "/rest/api/2", "/search"
	if f.cloud {
		api, search = "/rest/api/3", "/search/jql"
	}
	path, ok := strings.CutPrefix(r.URL.Path, api)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != f.auth {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answer := func(code int, v any) {
		w.WriteHeader(code)
		if v != nil {
			_ = json.NewEncoder(w).Encode(v)
		}
	}
	objects := func(field, why string) {
		answer(http.StatusBadRequest, map[string]any{"errorMessages": []string{}, "errors": map[string]string{field: why}})
	}
	f.calls = append(f.calls, r.Method+" "+path)
	f.bodies = append(f.bodies, r.Method+" "+r.URL.RequestURI()+"\n"+string(body))
	var in map[string]json.RawMessage
	if len(body) > 0 && json.Unmarshal(body, &in) != nil {
		answer(http.StatusBadRequest, map[string]any{"errorMessages": []string{"no JSON"}})
		return
	}
	switch {
	case path == "/myself":
		answer(200, map[string]string{"name": "vigil"})
		return
	case path == "/project/SEC/statuses":
		answer(200, []any{map[string]any{"name": "Task", "statuses": []any{map[string]string{"name": "To Do"}, map[string]string{"name": "Done"}}},
			map[string]any{"name": "Sub-task", "subtask": true}})
		return
	case path == search && r.Method == http.MethodPost:
		f.search(in, answer)
		return
	case path == "/issue" && r.Method == http.MethodPost:
		var fields map[string]any
		_ = json.Unmarshal(in["fields"], &fields)
		if f.bad(fields, objects) {
			return
		}
		if f.required != "" && fields[f.required] == nil {
			objects(f.required, f.required+" is required.")
			return
		}
		f.issues = append(f.issues, &issue{Fields: fields, Status: "To Do"})
		answer(http.StatusCreated, map[string]string{"id": "1", "key": fmt.Sprintf("SEC-%d", len(f.issues))})
		return
	}
	f.ofIssue(path, r, in, answer, objects)
}

// bad refuses what Jira would.
func (f *fake) bad(fields map[string]any, objects func(field, why string)) bool {
	if s, _ := fields["summary"].(string); s == "" || len([]rune(s)) > 255 || strings.Contains(s, "\n") {
		objects("summary", "The summary is invalid.")
		return true
	}
	if d, ok := fields["description"]; ok && !f.richText(d) {
		objects("description", "Operation value must be an Atlassian Document (see the Atlassian Document Format)")
		return true
	}
	if p, ok := fields["priority"].(map[string]any); ok && !slices.Contains(f.priorities, p["name"].(string)) {
		objects("priority", "Specify the Priority (name) in the string format")
		return true
	}
	labels, _ := fields["labels"].([]any)
	for _, l := range labels {
		if s, _ := l.(string); s == "" || strings.ContainsAny(s, " \t\n") || len(s) > 255 {
			objects("labels", "The label contains spaces which is invalid.")
			return true
		}
	}
	return false
}

// richText looks whether a text has the form that this Jira takes.
func (f *fake) richText(v any) bool {
	if !f.cloud {
		s, ok := v.(string)
		return ok && len([]rune(s)) <= 32767
	}
	doc, ok := v.(map[string]any)
	return ok && doc["type"] == "doc" && doc["version"] == 1.0 && adf(doc)
}

// adf walks a document: only nodes that Jira knows, no empty text.
func adf(n map[string]any) bool {
	t, _ := n["type"].(string)
	if !slices.Contains([]string{"doc", "paragraph", "heading", "bulletList", "listItem", "text"}, t) {
		return false
	}
	if s, _ := n["text"].(string); t == "text" && s == "" {
		return false
	}
	content, _ := n["content"].([]any)
	for _, c := range content {
		if m, ok := c.(map[string]any); !ok || !adf(m) {
			return false
		}
	}
	return t == "text" || len(content) > 0
}

func (f *fake) search(in map[string]json.RawMessage, answer func(int, any)) {
	var jql string
	_ = json.Unmarshal(in["jql"], &jql)
	_, rest, ok := strings.Cut(jql, `project = "SEC" AND labels = "`)
	label, _, ended := strings.Cut(rest, `" ORDER BY created ASC`)
	if !ok || !ended || strings.ContainsAny(label, "\"\\ ") {
		answer(http.StatusBadRequest, map[string]any{"errorMessages": []string{"Error in the JQL Query"}, "errors": map[string]string{}})
		return
	}
	found := []any{}
	for i, is := range f.issues {
		key := fmt.Sprintf("SEC-%d", i+1)
		labels, _ := is.Fields["labels"].([]any)
		if slices.Contains(labels, any(label)) && !f.blind && !f.gone[key] && len(found) == 0 {
			found = append(found, map[string]any{"key": key, "fields": map[string]any{"summary": is.Fields["summary"], "status": statusOf(is.Status)}})
		}
	}
	answer(200, map[string]any{"issues": found, "isLast": true})
}

func statusOf(name string) map[string]any {
	return map[string]any{"name": name, "statusCategory": map[string]string{"key": statuses[name]}}
}

func (f *fake) ofIssue(path string, r *http.Request, in map[string]json.RawMessage, answer func(int, any), objects func(field, why string)) {
	parts := strings.Split(strings.TrimPrefix(path, "/issue/"), "/")
	var n int
	if _, err := fmt.Sscanf(parts[0], "SEC-%d", &n); err != nil || n < 1 || n > len(f.issues) || f.gone[parts[0]] {
		answer(http.StatusNotFound, map[string]any{"errorMessages": []string{"Issue does not exist or you do not have permission to see it."}})
		return
	}
	is, what := f.issues[n-1], r.Method+" "+strings.Join(parts[1:], "/")
	switch what {
	case "GET ":
		answer(200, map[string]any{"key": parts[0], "fields": map[string]any{"status": statusOf(is.Status)}})
	case "PUT ":
		var fields map[string]any
		_ = json.Unmarshal(in["fields"], &fields)
		if f.bad(fields, objects) {
			return
		}
		for k, v := range fields {
			is.Fields[k] = v
		}
		answer(http.StatusNoContent, nil)
	case "GET comment":
		answer(200, map[string]any{"comments": is.Comments})
	case "POST comment":
		var v any
		if json.Unmarshal(in["body"], &v) != nil || !f.richText(v) {
			objects("comment", "Comment body is not valid!")
			return
		}
		is.Comments = append(is.Comments, in["body"])
		answer(http.StatusCreated, map[string]string{"id": "1"})
	case "GET transitions":
		ways := []any{}
		for i, s := range []string{"To Do", "In Progress", "Done"} {
			if s != is.Status && !f.stuck {
				ways = append(ways, map[string]any{"id": fmt.Sprint(i), "name": "Go", "to": statusOf(s)})
			}
		}
		answer(200, map[string]any{"transitions": ways})
	case "POST transitions":
		var way struct{ ID string }
		_ = json.Unmarshal(in["transition"], &way)
		var i int
		if _, err := fmt.Sscan(way.ID, &i); err != nil {
			answer(http.StatusBadRequest, nil)
			return
		}
		is.Status = []string{"To Do", "In Progress", "Done"}[i]
		answer(http.StatusNoContent, nil)
	default:
		answer(http.StatusMethodNotAllowed, nil)
	}
}

func (f *fake) take() (calls, bodies []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls, bodies = f.calls, f.bodies
	f.calls, f.bodies = nil, nil
	return calls, bodies
}
