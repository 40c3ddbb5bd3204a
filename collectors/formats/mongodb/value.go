package mongodb

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/tidwall/gjson"
)

// id is a value of a document as an id: a text, a number, or one of extended JSON's ways
// to write these. What is none, and what redaction has left, is empty.
func id(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		if v.Str == "?" || v.Str == "###" {
			return ""
		}
		return v.Str
	case gjson.Number:
		return number(v)
	}
	if !v.IsObject() {
		return ""
	}
	for _, key := range []string{"$oid", "$uuid", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"} {
		if s := v.Get(key); s.Type == gjson.String && s.Str != "?" && s.Str != "###" {
			return strings.TrimSuffix(s.Str, ".0")
		}
	}
	if b := v.Get("$binary"); b.Exists() {
		return uuid(b, v.Get("$type").Str)
	}
	return ""
}

// number is a number as text, without the fraction that the shell adds to whole ones.
func number(v gjson.Result) string {
	if v.IsObject() {
		return id(v)
	}
	if v.Type != gjson.Number {
		return ""
	}
	return strings.TrimSuffix(v.Raw, ".0")
}

// uuid reads a UUID out of extended JSON's binary.
func uuid(b gjson.Result, kind string) string {
	text := b.Str
	if b.IsObject() {
		text, kind = b.Get("base64").Str, b.Get("subType").Str
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 16 || strings.TrimLeft(kind, "0") != "4" {
		return ""
	}
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
