package redis

import (
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// maxArgs bounds the arguments that are read of one command.
const maxArgs = 100_000

// count reads a number from zero; anything else is zero.
func count(s string) int64 { return max(0, formats.Count(s)) }

// redacted is what the server puts in the place of secrets.
const redacted = "(redacted)"

// command reads a line of MONITOR.
func (d *reader) command(r *record.Record, m []int, emit func(*vigil.Event)) error {
	text := r.Text
	at, ok := formats.Time(string(text[m[2]:m[3]]), nil)
	if !ok {
		return formats.ErrTime("the line's time")
	}
	db, addr := "0", ""
	if m[4] >= 0 {
		db, addr = string(text[m[4]:m[5]]), r.Clean(string(text[m[6]:m[7]]), 128)
	}
	args, ok := unquote(string(text[m[1]-1:]))
	if !ok || len(args) == 0 {
		return formats.Errorf("monitor", "the command's arguments can't be read: the line is cut off")
	}
	if addr == "lua" {
		addr = d.script
	}
	v, name, words := lookup(args)
	switch name {
	case "eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro":
		d.script = addr
	case "client":
		d.introduce(r, addr, args)
		return nil
	case "auth", "hello":
		d.login(r, at.UnixNano(), addr, name, args, emit)
		return nil
	}
	if v.action == "" {
		return nil
	}
	e := d.event(r, addr)
	e.Time = at
	if e.Store == "" {
		e.Store = "db" + db
	}
	d.fill(r, e, v, name, args[words:])
	if v.action == vigil.ActionExport {
		e.Destination = &vigil.Destination{Kind: "server-file"}
		if name != "save" && name != "bgsave" {
			e.Destination.Kind = "client"
		}
	}
	emit(e)
	return nil
}

// fill adds what a command says.
func (d *reader) fill(r *record.Record, e *vigil.Event, v verb, name string, args []string) {
	e.Action = v.action
	e.Resource = v.resource
	named := v.keys.of(args)
	var found formats.Found
	for i, key := range named {
		p, ok := d.keys.Match(key, &found)
		if i > 0 {
			continue
		}
		if e.Resource = r.Clean(formats.GeneralKey(key), 256); ok {
			e.Resource, e.ResourceClass = p.Resource, p.Class
			if p.Action != "" {
				e.Action = vigil.Action(p.Action)
			}
		}
	}
	// A search by pattern that a template knows is one of that template.
	if name == "keys" || name == "scan" {
		pattern := match(name, args)
		e.Unbounded = name == "keys" && strings.Trim(pattern, "*") == ""
		if strings.Trim(pattern, "*") != "" {
			e.Resource = r.Clean(formats.GeneralKey(pattern), 256)
			if p, ok := d.keys.Match(pattern, nil); ok {
				e.Resource, e.ResourceClass = p.Resource, p.Class
			}
		}
	}
	found.Fill(e, true)
	e.Limit = limit(name, args)
	if n := int64(len(named)); n > 1 && e.Action == vigil.ActionRead && e.Limit == vigil.Unknown {
		e.Limit = n
	}
	e.Shape = r.Clean(name, 32)
	if e.Resource != v.resource { // what a command is always about says nothing more
		e.Shape += " " + e.Resource
	}
}

// match is the pattern that keys are looked for by.
func match(name string, args []string) string {
	if name == "keys" {
		if len(args) > 0 {
			return args[0]
		}
		return ""
	}
	for i := 1; i+1 < len(args); i++ {
		if strings.EqualFold(args[i], "match") {
			return args[i+1]
		}
	}
	return ""
}

// limit is how much a command asks for.
func limit(name string, args []string) int64 {
	switch name {
	case "lrange", "zrange", "zrevrange":
		if len(args) >= 3 && len(args) <= 4 {
			from, err1 := strconv.ParseInt(args[1], 10, 64)
			to, err2 := strconv.ParseInt(args[2], 10, 64)
			if err1 == nil && err2 == nil && from >= 0 && to >= from && to-from < 1<<40 {
				return to - from + 1
			}
		}
	}
	for i := 0; i+1 < len(args) && i < 64; i++ {
		switch name {
		case "scan", "hscan", "sscan", "zscan", "xrange", "xrevrange", "xread", "xreadgroup", "geosearch", "spop", "srandmember":
			if strings.EqualFold(args[i], "count") {
				return formats.Count(args[i+1])
			}
		case "zrangebyscore", "zrevrangebyscore", "zrangebylex", "zrevrangebylex", "zrange", "ft.search", "sort", "sort_ro":
			if strings.EqualFold(args[i], "limit") && i+2 < len(args) {
				return formats.Count(args[i+2])
			}
		}
	}
	return vigil.Unknown
}

// introduce notes what a client says of itself.
func (d *reader) introduce(r *record.Record, addr string, args []string) {
	if len(args) < 3 || addr == "" {
		return
	}
	c, _ := d.clients.Get(addr)
	switch {
	case strings.EqualFold(args[1], "setname"):
		c.Name = r.Clean(args[2], 128)
	case strings.EqualFold(args[1], "setinfo") && len(args) > 3 && strings.EqualFold(args[2], "lib-name"):
		c.Lib = r.Clean(args[3], 128)
	default:
		return
	}
	d.clients.Put(addr, c)
}

// login reads AUTH and HELLO. Which user it was is told by servers before 6.2 alone; whether
// the password was right, by none.
func (d *reader) login(r *record.Record, ns int64, addr, name string, args []string, emit func(*vigil.Event)) {
	user := ""
	switch {
	case name == "auth" && len(args) == 3:
		user = args[1]
	case name == "hello":
		found := false
		for i := 2; i < len(args); i++ {
			switch {
			case strings.EqualFold(args[i], "auth") && i+2 < len(args):
				user, found = args[i+1], true
				i += 2
			case strings.EqualFold(args[i], "setname") && i+1 < len(args):
				d.introduce(r, addr, []string{"client", "setname", args[i+1]})
				i++
			}
		}
		if !found {
			return
		}
	}
	c, _ := d.clients.Get(addr)
	if user = r.Clean(user, 256); user != "" && user != redacted {
		c.User = user
		d.clients.Put(addr, c)
	}
	e := d.event(r, addr)
	e.Time = timeOf(ns)
	e.Action, e.Shape = vigil.ActionLogin, name
	emit(e)
}

// unquote reads the arguments as MONITOR writes them: in double quotes, with backslashes
// before quotes, and bytes that do not print as \xhh.
func unquote(s string) (args []string, ok bool) {
	for len(args) < maxArgs {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return args, true
		}
		if s[0] != '"' {
			return nil, false
		}
		end := 1
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(s) {
			return nil, false
		}
		arg := s[1:end]
		if strings.IndexByte(arg, '\\') >= 0 {
			arg = unescape(arg)
		}
		args, s = append(args, arg), s[end+1:]
	}
	return args, true
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'a', 'b':
		case 'x':
			if i+2 < len(s) {
				if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
					b.WriteByte(byte(n))
					i += 2
					continue
				}
			}
			b.WriteByte('x')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
