package azure

import (
	"encoding/hex"
	"net/url"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// storageDeeds are Storage's operations whose names don't say what they do.
var storageDeeds = map[string]vigil.Action{
	"setcontaineracl": vigil.ActionShare, "setblobserviceproperties": vigil.ActionConfigure, "settableacl": vigil.ActionShare, "setshareacl": vigil.ActionShare, "setqueueacl": vigil.ActionShare,
	"getuserdelegationkey": vigil.ActionGrant, "blobpreflightrequest": "", "filepreflightrequest": "", "tablepreflightrequest": "", "queuepreflightrequest": "",
	"snapshotblob": vigil.ActionExport, "snapshotshare": vigil.ActionExport, "peekmessages": vigil.ActionRead, "getmessages": vigil.ActionRead, "queryblobcontents": vigil.ActionSearch,
	"acquirebloblease": vigil.ActionWrite, "releasebloblease": vigil.ActionWrite, "renewbloblease": vigil.ActionWrite, "undeleteblob": vigil.ActionWrite,
	"copyblobsource": vigil.ActionRead, "copyfilesource": vigil.ActionRead, "setblobtier": vigil.ActionWrite, "setblobmetadata": vigil.ActionWrite, "setblobproperties": vigil.ActionWrite,
	"setblobtags": vigil.ActionWrite, "findblobsbytags": vigil.ActionSearch, "entitygrouptransaction": vigil.ActionWrite, "mergeentity": vigil.ActionWrite, "queryentity": vigil.ActionRead,
	"flushfile": vigil.ActionWrite, "renamefile": vigil.ActionWrite, "setcontainermetadata": vigil.ActionWrite, "clearmessages": vigil.ActionDelete, "pagedelete": vigil.ActionDelete,
}

// storage reads the logs of blobs, files, queues and tables. The object's path and the
// URL, which may hold a signature, are not kept.
func (a entry) storage() (*vigil.Event, error) {
	operation := a.operation()
	action, known := storageDeeds[strings.ToLower(operation)]
	if !known {
		action = formats.Verb(operation)
	}
	if action == "" {
		return nil, nil
	}
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.Action, e.Shape = action, operation
	if name := a.prop("accountName"); name != "" && a.r.Event().Store == "" {
		e.Store = strings.ToLower(name)
	}
	e.Resource = first(container(a.prop("objectKey")), a.prop("serviceType"), "storage")
	e.IP = formats.Address(a.top("callerIpAddress"))
	a.requester(e)
	if err := nobody(e); err != nil {
		return nil, err
	}
	e.UserAgent = a.prop("userAgentHeader")
	low := strings.ToLower(operation)
	if action.Discloses() {
		e.Bytes = formats.Count(a.prop("responseBodySize"))
		if low == "getblob" || low == "getfile" || low == "readfile" || low == "queryentity" {
			e.Rows = 1
		}
	}
	if action == vigil.ActionSearch {
		if _, q, ok := strings.Cut(a.r.String(a.raw("uri"), 4096), "?"); ok {
			if v, err := url.ParseQuery(q); err == nil {
				e.Limit = formats.Count(first(v.Get("maxresults"), v.Get("$top")))
				e.Unbounded = v.Get("prefix") == "" && v.Get("$filter") == "" && e.Limit == vigil.Unknown
			}
		}
	}
	// A batch's parts have one correlation id; the record's own hash tells them apart.
	if id := a.top("correlationId"); id != "" {
		e.ID = id + "-" + hexOf(formats.RecordHash(a.r.Text))
	}
	text := strings.ToLower(a.top("statusText"))
	e.Outcome = formats.OutcomeOfStatus(formats.Count(a.top("statusCode")))
	switch {
	case strings.Contains(text, "authoriz") || strings.Contains(text, "authentication"):
		e.Outcome = vigil.OutcomeDenied
	case e.Outcome == vigil.OutcomeUnspecified && strings.Contains(first(text, strings.ToLower(a.prop("metricResponseType"))), "success"):
		e.Outcome = vigil.OutcomeSuccess
	}
	return e, nil
}

func hexOf(h uint64) string {
	var b [4]byte
	for i := range b {
		b[i] = byte(h >> (56 - 8*i))
	}
	return hex.EncodeToString(b[:])
}

// container is that of a blob, or the share, queue or table: the second part of
// /account/container/path.
func container(key string) string {
	parts := strings.SplitN(strings.TrimPrefix(key, "/"), "/", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

// requester says who asked: a user or application of Entra, else the key or the
// signature, by the start of its hash.
func (a entry) requester(e *vigil.Event) {
	id := func(path string) string { return a.r.String(a.raw("identity."+path), 256) }
	kind := strings.ToLower(id("type"))
	if upn := id("requester.upn"); upn != "" {
		e.Actor.ID, e.Actor.Kind = upn, vigil.KindHuman
	} else if object := first(id("requester.objectId"), id("requester.appId")); object != "" {
		e.Actor.ID = object
		if id("requester.uniqueName") == "" && id("requester.appId") != "" && id("requester.objectId") == "" {
			e.Actor.Kind = vigil.KindService
		}
	}
	e.Actor.App = id("requester.appId")
	if e.Actor.ID != "" {
		return
	}
	hash := id("tokenHash")
	switch kind {
	case "accountkey", "sharedkey":
		name, rest, _ := strings.Cut(hash, "(")
		e.Actor.ID, e.Actor.Kind = "account key "+first(name, "?")+" "+start(rest), vigil.KindService
	case "sas":
		if at := strings.Index(hash, "SasSignature("); at >= 0 {
			hash = hash[at+len("SasSignature("):]
		}
		e.Actor.ID, e.Actor.Kind = "shared access signature "+start(hash), vigil.KindService
	case "anonymous":
		e.Actor.ID, e.Actor.Kind = first(e.IP, "anonymous"), vigil.KindAnonymous
	case "trustedaccess", "kerberos", "":
	default:
		e.Actor.ID = kind
	}
	e.Actor.ID = strings.TrimSpace(e.Actor.ID)
}

// start is the first characters of a hash.
func start(hash string) string {
	hash = strings.TrimRight(hash, ")")
	return hash[:min(8, len(hash))]
}
