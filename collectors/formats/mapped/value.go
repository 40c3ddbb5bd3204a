package mapped

import (
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats"
)

// exists reports whether a record has one of the paths.
func (v *Value) exists(record gjson.Result) bool {
	for _, p := range v.paths {
		if p.get(record).Exists() {
			return true
		}
	}
	return false
}

// first is the first of the values, empty for none.
func (v *Value) first(record gjson.Result) string {
	for _, s := range v.values(record) {
		return s
	}
	return ""
}

// values are the field's values, converted; without empty ones.
func (v *Value) values(record gjson.Result) (out []string) {
	take := func(s string) {
		pieces := []string{s}
		if v.match != nil {
			m := v.match.FindStringSubmatch(s)
			if m == nil {
				return
			}
			pieces[0] = m[min(1, len(m)-1)]
		}
		if v.Split != "" {
			pieces = strings.SplitN(pieces[0], v.Split, maxList+1)
		}
		for _, s := range pieces[:min(len(pieces), maxList)] {
			if s = v.convert(strings.TrimSpace(s)); s != "" {
				out = append(out, s)
			}
		}
	}
	if v.Const != "" {
		take(v.Const)
	}
	for _, p := range v.paths {
		got := p.get(record)
		if got.IsArray() {
			got.ForEach(func(_, item gjson.Result) bool {
				if !item.IsObject() && !item.IsArray() && item.Type != gjson.Null {
					take(item.String())
				}
				return len(out) < maxList
			})
		} else if got.Exists() && got.Type != gjson.Null && !got.IsObject() {
			take(got.String())
		}
		if len(out) > 0 {
			break
		}
	}
	if len(out) == 0 && v.Default != "" {
		out = append(out, v.Default)
	}
	return out
}

func (v *Value) convert(s string) string {
	if s == "" {
		return ""
	}
	s = v.Prefix + strings.TrimPrefix(s, v.Without)
	if v.Lower {
		s = strings.ToLower(s)
	}
	if v.Map == nil {
		return s
	}
	if to, ok := v.Map[s]; ok {
		return to
	}
	if v.Default != "" {
		return v.Default
	}
	return s
}

// time reads the record's time.
func (r *reader) time(record gjson.Result) (time.Time, bool) {
	v := r.file.Fields[fieldTime]
	zone := v.zone
	if zone == nil {
		zone = r.zone
	}
	if zone == nil {
		zone = time.UTC
	}
	s := v.first(record)
	if v.Layout == "" {
		return formats.Time(s, zone)
	}
	at, err := time.ParseInLocation(v.Layout, s, zone)
	return at.UTC(), err == nil
}
