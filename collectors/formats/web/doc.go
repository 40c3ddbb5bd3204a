// Package web is what the access logs of web servers and proxies share: a line's fields
// (Fields), the forms in which several of them write (Fields.Combined, Layout), and what
// a request becomes (Interpreter): the method and path give the action and the
// resource, the status the outcome, the user the actor; without a user the address is
// an anonymous actor. Of the query only the names of its parameters are kept, and the
// values that the mapping calls ids.
//
// Path templates come from the mapping. A path that fits none has the template that is
// found by looking at it: what looks like an id becomes {id}. That depends on the path
// alone, so that one path has one resource, today and after a restart; it is bounded in
// segments and bytes.
//
// Nothing here holds state between lines, save caches that change no result. One
// goroutine uses an Interpreter at a time.
package web
