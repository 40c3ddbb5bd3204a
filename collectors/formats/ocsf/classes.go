package ocsf

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Classes that are dealt with by themselves.
const (
	classAuthentication = 3002
	classSession        = 3003
	classHTTP           = 4002
	classAPI            = 6003
	classDatastore      = 6005
)

// activities say what each activity of a class is (schema.ocsf.io). Zero is that of an
// activity that is not listed. A class that is not here is no access.
var activities = map[int]map[int64]vigil.Action{
	// File System Activity
	1001: {1: vigil.ActionWrite, 2: vigil.ActionRead, 3: vigil.ActionWrite, 4: vigil.ActionDelete, 5: vigil.ActionWrite, 6: vigil.ActionConfigure, 7: vigil.ActionGrant,
		8: vigil.ActionRead, 9: vigil.ActionRead, 10: vigil.ActionWrite, 11: vigil.ActionRead, 14: vigil.ActionRead, 0: vigil.ActionOther},
	// Account Change
	3001: {1: vigil.ActionWrite, 6: vigil.ActionDelete, 7: vigil.ActionGrant, 0: vigil.ActionConfigure},
	// Authentication
	classAuthentication: {1: vigil.ActionLogin, 2: vigil.ActionLogout, 0: vigil.ActionLogin},
	// Authorize Session: privileges or groups are given to it
	classSession: {0: vigil.ActionGrant},
	// Entity Management
	3004: {1: vigil.ActionWrite, 2: vigil.ActionRead, 3: vigil.ActionWrite, 4: vigil.ActionDelete, 5: vigil.ActionWrite, 0: vigil.ActionConfigure},
	// User Access Management
	3005: {1: vigil.ActionGrant, 0: vigil.ActionConfigure},
	// Group Management
	3006: {1: vigil.ActionGrant, 3: vigil.ActionGrant, 5: vigil.ActionDelete, 6: vigil.ActionWrite, 0: vigil.ActionConfigure},
	// HTTP Activity; the method tells where there is one
	classHTTP: {1: vigil.ActionOther, 2: vigil.ActionDelete, 3: vigil.ActionRead, 4: vigil.ActionRead, 5: vigil.ActionOther, 6: vigil.ActionWrite, 7: vigil.ActionWrite,
		9: vigil.ActionWrite, 0: vigil.ActionOther},
	// SMB, FTP
	4006: {2: vigil.ActionRead, 3: vigil.ActionWrite, 0: vigil.ActionOther},
	4008: {1: vigil.ActionWrite, 2: vigil.ActionRead, 4: vigil.ActionDelete, 5: vigil.ActionWrite, 6: vigil.ActionSearch, 0: vigil.ActionOther},
	// Web Resources Activity
	6001: {1: vigil.ActionWrite, 2: vigil.ActionRead, 3: vigil.ActionWrite, 4: vigil.ActionDelete, 5: vigil.ActionSearch, 6: vigil.ActionWrite, 7: vigil.ActionExport,
		8: vigil.ActionShare, 0: vigil.ActionOther},
	// API Activity; the operation tells more where its verb is known
	classAPI: {1: vigil.ActionWrite, 2: vigil.ActionRead, 3: vigil.ActionWrite, 4: vigil.ActionDelete, 0: vigil.ActionOther},
	// Web Resource Access Activity
	6004: {1: vigil.ActionRead, 2: vigil.ActionRead, 3: vigil.ActionConfigure, 0: vigil.ActionRead},
	// Datastore Activity
	classDatastore: {1: vigil.ActionRead, 2: vigil.ActionWrite, 3: vigil.ActionLogin, 4: vigil.ActionSearch, 5: vigil.ActionWrite, 6: vigil.ActionWrite,
		7: vigil.ActionDelete, 8: vigil.ActionSearch, 9: vigil.ActionWrite, 10: vigil.ActionRead, 0: vigil.ActionOther},
	// File Hosting Activity
	6006: {1: vigil.ActionWrite, 2: vigil.ActionExport, 3: vigil.ActionWrite, 4: vigil.ActionDelete, 5: vigil.ActionWrite, 6: vigil.ActionWrite, 7: vigil.ActionWrite,
		8: vigil.ActionWrite, 9: vigil.ActionRead, 10: vigil.ActionConfigure, 11: vigil.ActionConfigure, 12: vigil.ActionShare, 13: vigil.ActionConfigure, 14: vigil.ActionRead,
		15: vigil.ActionExport, 16: vigil.ActionConfigure, 0: vigil.ActionOther},
}

// action is what a record is; ok is false for no access.
func (r *reader) action(rec *record.Record, class int) (a vigil.Action, ok bool) {
	known, ok := activities[class]
	if !ok {
		return "", false
	}
	activity := rec.Int("activity_id")
	a, listed := known[activity]
	if !listed {
		a = known[0]
	}
	if activity == 99 || activity <= 0 {
		if verb := formats.Verb(rec.Get("activity_name")); verb != vigil.ActionOther && !strings.EqualFold(rec.Get("activity_name"), "other") {
			a = verb
		}
	}
	if class == classAPI {
		if verb := formats.Verb(rec.Get("api.operation")); verb != vigil.ActionOther {
			a = verb
		}
	}
	return a, true
}
