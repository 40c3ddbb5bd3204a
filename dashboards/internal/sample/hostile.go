package sample

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"vigil"
)

// Payloads returns 200 texts that would do harm in a page that took them for
// markup, script, style, an address or a template: each of 25 vectors in each of
// eight wrappings.
func Payloads() []string {
	vectors := []string{
		`<script>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`,
		`<svg/onload=alert(1)>`,
		`<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>`,
		`<a href="javascript:alert(1)">x</a>`,
		`javascript:alert(1)//`,
		`data:text/html,<script>alert(1)</script>`,
		`<style>@import 'http://evil.invalid/x.css';*{display:none}</style>`,
		`<link rel=stylesheet href=http://evil.invalid/>`,
		`<meta http-equiv=refresh content="0;url=http://evil.invalid/">`,
		`<base href=http://evil.invalid/>`,
		`<form action=http://evil.invalid/><button>x`,
		`<div hx-get=/findings hx-trigger=load hx-on:load="alert(1)">x</div>`,
		`<details open ontoggle=alert(1)>`,
		`<math><mtext></mtext><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=alert(1)&gt;">`,
		`<template><script>alert(1)</script></template>`,
		`</title></desc></svg><script>alert(1)</script>`,
		`</table></main></body></html><script>alert(1)</script>`,
		`]]><script>alert(1)</script>`,
		`<!--><script>alert(1)</script-->`,
		`{{printf "%s" .}}${alert(1)}<%= 7*7 %>`,
		`"autofocus onfocus=alert(1) x="`,
		`' onmouseover='alert(1)`,
		"\u202e<script>alert(1)</script>\u2066\u200b",
		"\x00<scr\x00ipt>alert(1)</scr\x00ipt>\xff\xfe",
	}
	wrappings := []string{"%s", `"%s`, `'%s'`, `">%s`, "--></style></script>%s", "\r\n\r\n%s", "admin%s", `\"%s\u003c`}
	out := make([]string, 0, len(vectors)*len(wrappings))
	for _, w := range wrappings {
		for _, v := range vectors {
			out = append(out, fmt.Sprintf(w, v))
		}
	}
	return out
}

// Hostile returns a finding and its events in which every text is one of texts,
// in turn beginning with the i-th, and every number that can be is no number or
// the worst one. The finding's id is not touched.
func Hostile(texts []string, i int) (vigil.Finding, []*vigil.Event) {
	f := Vendor()
	f.ID = fmt.Sprintf("f-hostile-%03d", i)
	id := f.ID
	for len(f.Contributions) < 40 {
		f.Contributions = append(f.Contributions, f.Contributions[len(f.Contributions)%4])
	}
	f.SubjectIDs, f.Actors = make([]string, 200), make([]string, 200)
	f.NotJudged = make([]string, 10)
	numbers := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -1, 0, 1e-300}
	fill := &filler{texts: texts, at: i, numbers: numbers}
	fill.value(reflect.ValueOf(&f).Elem())
	f.ID = id
	// Each kind of finding takes its turn.
	abouts := [...]vigil.About{vigil.AboutActor, vigil.AboutSubject, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSource}
	f.State, f.About, f.Severity = vigil.StateOpen, abouts[i%len(abouts)], vigil.SeverityHigh
	forms := [...][2]string{{"volume", "subjects"}, {"sequence", "order"}, {"novelty", "network"}, {"novelty", "return"}, {"rule", "subjects"}}
	for j := range f.Contributions {
		if k := &f.Contributions[j]; j%6 < len(forms) {
			k.Model, k.Observation = forms[j%6][0], forms[j%6][1]
		}
	}
	events := Events(&vigil.Finding{ID: id, Start: f.Start, End: f.End, Actor: "x", Resources: []string{"r"}, Networks: []string{"n"}}, 60)
	for _, e := range events {
		fill.value(reflect.ValueOf(e).Elem())
	}
	return f, events
}

// Fill writes texts into every text that v points to or holds, in turn beginning with the
// at-th, and numbers that are none or the worst into every float. Times stay. Give it a
// pointer.
func Fill(v any, texts []string, at int) {
	(&filler{texts: texts, at: at, numbers: []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -1, 0, 1e-300}}).value(reflect.ValueOf(v).Elem())
}

// filler writes texts and numbers into whatever can hold them.
type filler struct {
	texts   []string
	numbers []float64
	at      int
}

func (f *filler) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.texts[f.at%len(f.texts)])
		f.at++
	case reflect.Float64:
		v.SetFloat(f.numbers[f.at%len(f.numbers)])
		f.at++
	case reflect.Slice:
		for i := range v.Len() {
			f.value(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			f.value(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			f.value(v.Field(i))
		}
	}
}

// Harmless returns n texts that mean
// nothing: a page of them has the shape that a page of payloads must have.
func Harmless(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("harmless%03d%s", i, strings.Repeat("x", i%40))
	}
	return out
}
