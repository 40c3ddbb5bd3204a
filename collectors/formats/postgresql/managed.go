package postgresql

import "strings"

// managed are the prefixes of managed services (Heroku, Azure, IBM Cloud) that can't be
// guessed from one line: with names in brackets, or none that tells a user. mark is what
// such a line has.
var managed = func() []managedLine {
	out := []managedLine{
		{mark: `time_ms = "`, text: `sql_error_code = %e time_ms = "%m" pid="%p" proc_start_time="%s" session_id="%c" vtid="%v" tid="%x" log_line="%l" %qdatabase="%d" connection_source="%r" user="%u" application_name="%a" `},
		{mark: "sql_error_code = ", text: "sql_error_code = %e "},
		{mark: " UTC-", text: "%t-%c-"},
		{mark: "]: [", text: "%t [%a] [%e] [%p]: [%l-1] user=%u,db=%d,client=%h "},
	}
	for i := range out {
		var err error
		if out[i].prefix, err = compilePrefix(out[i].text); err != nil {
			panic(err) // the table above is wrong
		}
	}
	return out
}()

type managedLine struct {
	mark, text string
	prefix     *prefix
}

// managedPrefix is the managed service's prefix that reads the line; nil for none.
func managedPrefix(line string) *prefix {
	for _, m := range managed {
		if strings.Contains(line, m.mark) {
			if _, _, _, ok := m.prefix.match(line); ok {
				return m.prefix
			}
		}
	}
	return nil
}
