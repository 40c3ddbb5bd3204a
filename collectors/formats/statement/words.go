package statement

import (
	"strconv"
	"strings"

	"vigil"
)

// readWords reads a normalised text that the grammar refuses, such as one cut
// short: the first word, the names after FROM, JOIN, INTO and UPDATE, and plain
// comparisons with a literal. It claims less than the grammar does: no fields,
// and never that a read is unbounded.
func readWords(text string) *part {
	p := &part{limit: -1, lexical: true}
	toks := strings.Fields(text)
	i := 0
	for i < len(toks) && (toks[i] == ";" || toks[i] == "(") {
		i++
	}
	if i == len(toks) {
		return p
	}
	p.command = strings.ToUpper(toks[i])
	p.action = actionOfWord(toks[i])
	if toks[i] == "set" && i+1 < len(toks) {
		switch t := toks[i+1]; {
		case t == "role", t == "session" && i+2 < len(toks) && toks[i+2] == "authorization":
			p.action = vigil.ActionImpersonate
		case t == "pgaudit":
			p.action = vigil.ActionConfigure
		}
	}
	r := wordReader{p: p, toks: toks, aliases: make(map[string]string)}
	r.tables()
	r.comparisons()
	if p.command == "COPY" {
		p.action = vigil.ActionExport
		for _, t := range toks {
			if t == "to" {
				break
			}
			if t == "from" && len(p.tables) > 0 && !strings.HasPrefix(text, "copy (") {
				p.action = vigil.ActionWrite
				break
			}
		}
	}
	if p.command == "SELECT" && len(p.tables) == 0 {
		p.action = ""
	}
	return p
}

func actionOfWord(w string) vigil.Action {
	switch w {
	case "select", "with", "table", "values", "declare":
		return vigil.ActionRead
	case "insert", "update", "merge":
		return vigil.ActionWrite
	case "delete", "truncate":
		return vigil.ActionDelete
	case "copy":
		return vigil.ActionExport
	case "grant", "revoke", "reassign":
		return vigil.ActionGrant
	case "create", "alter", "drop", "comment", "security", "import":
		return vigil.ActionConfigure
	case "do", "call":
		return vigil.ActionExecute
	case "begin", "start", "commit", "end", "rollback", "savepoint", "release", "set", "reset", "show", "fetch", "move", "close",
		"prepare", "execute", "deallocate", "discard", "listen", "unlisten", "notify", "abort", "checkpoint":
		return ""
	}
	return vigil.ActionOther
}

type wordReader struct {
	p       *part
	toks    []string
	aliases map[string]string
}

func (r *wordReader) at(i int) string {
	if i >= 0 && i < len(r.toks) {
		return r.toks[i]
	}
	return ""
}

// nameAt reads a possibly qualified name at i and returns what follows it.
func (r *wordReader) nameAt(i int) (string, int) {
	for r.at(i) == "only" || r.at(i) == "if" || r.at(i) == "exists" {
		i++
	}
	if !isName(r.at(i)) {
		return "", i
	}
	parts := []string{unquote(r.at(i))}
	i++
	for r.at(i) == "." && isName(r.at(i+1)) {
		parts = append(parts, unquote(r.at(i+1)))
		i += 2
	}
	if len(parts) > 2 {
		parts = parts[len(parts)-2:]
	}
	return strings.Join(parts, "."), i
}

func isName(t string) bool {
	if t == "" {
		return false
	}
	return isWordStart(t[0]) || t[0] == '"' && len(t) > 1
}

func unquote(t string) string { return strings.ToLower(strings.Trim(t, `"`)) }

// clause reports the words that end a list of tables or cannot be an alias.
func clause(t string) bool {
	switch t {
	case "where", "join", "inner", "left", "right", "full", "cross", "natural", "on", "using", "group", "order", "limit", "offset",
		"union", "having", "set", "values", "select", "returning", "for", "from", "window", "fetch", "lateral", "to", "with", "as", "except", "intersect", "":
		return true
	}
	return false
}

func (r *wordReader) tables() {
	for i := 0; i < len(r.toks); i++ {
		switch r.toks[i] {
		case "from", "join", "into", "update", "truncate", "copy", "table":
		default:
			continue
		}
		if r.at(i-1) == "for" || r.at(i-1) == "distinct" || r.toks[i] == "update" && r.at(i-1) == "do" {
			continue
		}
		j := i + 1
		for {
			for r.at(j) == "table" || r.at(j) == "lateral" {
				j++
			}
			t, next := r.nameAt(j)
			if t == "" || clause(t) || r.at(next) == "(" && r.toks[i] == "from" {
				break
			}
			r.p.addTable(t)
			r.aliases[bare(t)] = t
			if r.at(next) == "as" {
				next++
			}
			if isName(r.at(next)) && !clause(r.at(next)) {
				r.aliases[unquote(r.at(next))] = t
				next++
			}
			i = next - 1
			if r.at(next) != "," {
				break
			}
			j = next + 1
		}
	}
}

// comparisons finds "column = literal" and "column in (literal".
func (r *wordReader) comparisons() {
	limit := -1
	for i, t := range r.toks {
		slot, ok := slotOfToken(t)
		if !ok {
			continue
		}
		col := -1
		switch {
		case r.at(i-1) == "limit":
			limit = slot
			continue
		case r.at(i-1) == "=":
			col = i - 2
		case r.at(i-1) == "(" && r.at(i-2) == "in" && r.at(i-3) != "not":
			col = i - 3
		case r.at(i-1) == "(" && r.at(i-2) == "any" && r.at(i-3) == "=":
			col = i - 4
		}
		if !isName(r.at(col)) || len(r.p.tables) == 0 {
			continue
		}
		c := unquote(r.at(col))
		var cols []column
		if r.at(col-1) == "." {
			table, ok := r.aliases[unquote(r.at(col-2))]
			if !ok {
				continue
			}
			cols = []column{{table, c}}
		} else {
			for _, t := range r.p.tables {
				cols = append(cols, column{t, c})
			}
		}
		r.p.uses = append(r.p.uses, use{slot: slot, columns: cols, array: r.at(i-2) == "any", alternative: true})
	}
	r.p.limit = limit
}

// slotOfToken reads a tagged literal.
func slotOfToken(t string) (int, bool) {
	switch {
	case strings.HasPrefix(t, "'"+stringTag):
		return slotOfString(strings.Trim(t, "'"))
	case len(t) > 1 && t[0] == '$':
		n, err := strconv.Atoi(t[1:])
		return n - 1, err == nil && n > 0
	case len(t) >= 7 && t[0] >= '0' && t[0] <= '9':
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			return 0, false
		}
		return slotOfNumber(n)
	}
	return 0, false
}
