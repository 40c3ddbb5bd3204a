package config

import (
	"crypto/sha256"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Print is a hash over a part of a configuration, what its secrets reveal included: two
// parts with one print say the same. A secret that can't be revealed counts as its
// absence.
type Print [sha256.Size]byte

// PrintOf makes the print of any part of a configuration, or of several.
func PrintOf(parts ...any) Print {
	h := sha256.New()
	for _, p := range parts {
		printValue(h, reflect.ValueOf(p))
	}
	return Print(h.Sum(nil))
}

func printValue(w io.Writer, v reflect.Value) {
	if !v.IsValid() {
		fmt.Fprint(w, "nil;")
		return
	}
	if s, ok := v.Interface().(Secret); ok {
		value, err := s.Reveal()
		fmt.Fprintf(w, "secret %t %t %d:%s;", s.IsSet(), err == nil, len(value), value)
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			fmt.Fprint(w, "nil;")
			return
		}
		printValue(w, v.Elem())
	case reflect.Struct:
		fmt.Fprintf(w, "%s{", v.Type())
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				printValue(w, v.Field(i))
			}
		}
		fmt.Fprint(w, "}")
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(w, "[%d:", v.Len())
		for i := range v.Len() {
			printValue(w, v.Index(i))
		}
		fmt.Fprint(w, "]")
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		fmt.Fprintf(w, "map[%d:", len(keys))
		for _, k := range keys {
			printValue(w, k)
			printValue(w, v.MapIndex(k))
		}
		fmt.Fprint(w, "]")
	default:
		text := fmt.Sprint(v.Interface())
		fmt.Fprintf(w, "%d:%s;", len(text), text)
	}
}
