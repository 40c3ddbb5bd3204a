// Package statement understands SQL statements as logs hold them: which tables
// they touch, what they do, which subjects and conversations their predicates
// name, whether they have a predicate at all, and a shape by which statements
// that differ in their literals alone are the same. PostgreSQL's dialect.
//
// Formats that meet SQL call it. A [Parser] holds what is known of statement
// shapes and is shared; each decoder has a [Reader] of its own. A Parser is safe
// for concurrent use, a Reader is not.
//
// A statement is taken apart by a fast lexer; what remains when its literals are
// out is parsed by PostgreSQL's own grammar, once per shape. Both caches are
// bounded and forget the least recently used. A text that the grammar refuses,
// because it is cut, too large or too deep, is read by its words alone. A text
// longer than MaxStatement is cut. Literals are dropped, save the ids that the
// mapping asks for.
package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"strings"
	"sync"

	"vigil"
	"vigil/collectors/formats"
)

// MaxStatement bounds the text that is read, in bytes.
const MaxStatement = 1 << 20

// Result is what one statement does.
type Result struct {
	// Command is the command's tag, such as "SELECT" or "COPY".
	Command string
	// Action is what it does; empty when it is no access (BEGIN, SHOW).
	Action vigil.Action
	// Tables are the tables it touches, lower case, without their schema;
	// Qualified the same as they are written.
	Tables, Qualified []string
	// Resource is the first mapped table, else the first table, else the role,
	// setting or function it is about; Class is its sensitivity.
	Resource, Class string
	// Ignored says that the mapping ignores every table it touches.
	Ignored bool
	// Subjects, Conversations, Tenants and Tickets are the ids found, each once,
	// at most vigil.MaxSubjects.
	Subjects, Conversations, Tenants, Tickets []string
	// SubjectCount is the number of distinct subjects when the statement is
	// confined to those it names, else vigil.Unknown.
	SubjectCount int64
	// Limit is LIMIT's value, or vigil.Unknown.
	Limit int64
	// Fields are the columns selected or written; "*" stands for all.
	Fields []string
	// Unbounded says that a mapped table is read with no predicate and no limit.
	Unbounded bool
	// Shape is a stable fingerprint, such as "select conversations#1f3a9c2b04".
	Shape string
	// Destination says where COPY sends rows: "client", "server-file" or
	// "program"; "table" when rows are copied to a table that is not mapped.
	Destination string
	// Lexical says that it was read by its words, not by the grammar.
	Lexical bool
	// Prepares and Executes are the names of PREPARE and EXECUTE; Args are
	// EXECUTE's arguments.
	Prepares, Executes string
	Args               []string
}

// Parser knows statement shapes. It is safe for concurrent use.
type Parser struct {
	capacity int
	warm     sync.Once

	mu     sync.Mutex // guards shapes
	shapes *formats.Bounded[uint64, []*part]
	seed   maphash.Seed
}

// NewParser returns a Parser that remembers at most capacity shapes.
func NewParser(capacity int) *Parser {
	return &Parser{capacity: capacity, shapes: formats.NewBounded[uint64, []*part](capacity), seed: maphash.MakeSeed()}
}

// Warm starts the grammar aside, so that the first statement need not wait the
// seconds that it takes. It returns at once; calls after the first do nothing.
func (p *Parser) Warm() {
	p.warm.Do(func() { go func() { _, _ = parse("select 1") }() })
}

// Reader reads statements by a mapping. It is not safe for concurrent use.
type Reader struct {
	parser   *Parser
	mapping  *formats.Mapping
	resolved *formats.Bounded[uint64, []*resolvedPart]
	lexed    lexed
	results  []Result
}

// Reader returns a reader by mapping; nil maps nothing.
func (p *Parser) Reader(mapping *formats.Mapping) *Reader {
	if mapping == nil {
		mapping = &formats.Mapping{}
	}
	return &Reader{parser: p, mapping: mapping, resolved: formats.NewBounded[uint64, []*resolvedPart](p.capacity)}
}

// Read says what each statement in sql does. params are the values of $1, $2 and
// so on, as far as known. The slice is valid until the next call; the strings
// stay.
func (r *Reader) Read(sql string, params []string) []Result {
	if len(sql) > MaxStatement {
		sql = sql[:MaxStatement]
	}
	if !scan(sql, &r.lexed, true) {
		scan(sql, &r.lexed, false)
	}
	key := maphash.Bytes(r.parser.seed, r.lexed.text)
	parts, ok := r.resolved.Get(key)
	if !ok {
		for _, p := range r.parser.parts(key, &r.lexed) {
			parts = append(parts, resolve(p, r.mapping))
		}
		r.resolved.Put(key, parts)
	}
	r.results = r.results[:0]
	for _, p := range parts {
		r.results = append(r.results, p.result(&r.lexed, params))
	}
	if len(r.mapping.Params) > 0 && len(r.lexed.comments) > 0 {
		for i := range r.results {
			readComments(&r.results[i], r.lexed.comments, r.mapping.Params)
		}
	}
	return r.results
}

// parts finds or makes what is known of the shape.
func (p *Parser) parts(key uint64, l *lexed) []*part {
	p.mu.Lock()
	parts, ok := p.shapes.Get(key)
	p.mu.Unlock()
	if ok {
		return parts
	}
	parts = understand(l)
	p.mu.Lock()
	p.shapes.Put(key, parts)
	p.mu.Unlock()
	return parts
}

// understand reads a normalised text, by the grammar if it can.
func understand(l *lexed) []*part {
	text := strings.ToValidUTF8(string(l.text), "_")
	var parts []*part
	if !l.broken && l.weight <= maxWeight && l.depth <= maxDepth && len(text) <= maxGrammar {
		if stmts, err := parse(text); err == nil {
			for _, s := range stmts {
				p := readTree(s["stmt"])
				from, _ := s["stmt_location"].(float64)
				size, _ := s["stmt_len"].(float64)
				own := text[min(int(from), len(text)):]
				if size > 0 && int(size) <= len(own) {
					own = own[:int(size)]
				}
				p.shape = shape(p, strings.TrimLeft(own, "; "))
				parts = append(parts, p)
			}
			return parts
		}
	}
	if len(l.text) == 0 {
		return nil
	}
	p := readWords(text)
	p.shape = shape(p, text)
	return []*part{p}
}

// shape names a statement: its command, its first table, and a hash.
func shape(p *part, text string) string {
	sum := sha256.Sum256([]byte(anonymous(text)))
	verb, _, _ := strings.Cut(strings.ToLower(p.command), " ")
	if len(verb) > 20 {
		verb = verb[:20]
	}
	about := p.resource
	if len(p.tables) > 0 {
		about = bare(p.tables[0])
	}
	if len(about) > 40 {
		about = strings.ToValidUTF8(about[:40], "")
	}
	if about != "" {
		verb += " " + about
	}
	return verb + "#" + hex.EncodeToString(sum[:5])
}
