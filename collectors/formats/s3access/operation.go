package s3access

import (
	"strings"

	"vigil"
)

// op is what an operation does. object says that it gives out an object.
type op struct {
	action vigil.Action
	class  string
	object bool
}

// operation reads an operation's name: SOAP.*, REST.METHOD.RESOURCE, WEBSITE.METHOD.OBJECT,
// BATCH.DELETE.OBJECT, S3.ACTION.OBJECT (a lifecycle rule).
func operation(name string) op {
	kind, rest, _ := strings.Cut(name, ".")
	method, resource, _ := strings.Cut(rest, ".")
	if kind == "S3" {
		switch method {
		case "EXPIRE":
			return op{action: vigil.ActionDelete}
		case "CREATE": // DELETEMARKER
			return op{action: vigil.ActionDelete}
		}
		return op{action: vigil.ActionOther}
	}
	object := strings.HasPrefix(resource, "OBJECT") || strings.HasPrefix(resource, "PART") || resource == "UPLOAD" || resource == "UPLOADS"
	switch method {
	case "GET":
		switch resource {
		case "OBJECT", "TORRENT":
			return op{action: vigil.ActionRead, object: true}
		case "BUCKET", "BUCKETVERSIONS", "UPLOADS", "SERVICE":
			return op{action: vigil.ActionSearch}
		}
		return op{action: vigil.ActionRead}
	case "COPY":
		if strings.HasSuffix(resource, "_GET") {
			return op{action: vigil.ActionRead, object: true}
		}
		return op{action: vigil.ActionWrite}
	case "HEAD", "OPTIONS":
		return op{action: vigil.ActionOther}
	case "DELETE":
		if resource == "PUBLIC_ACCESS_BLOCK" || resource == "BUCKETPUBLICACCESSBLOCK" {
			return op{action: vigil.ActionShare}
		}
		return op{action: vigil.ActionDelete}
	case "POST":
		switch resource {
		case "MULTI_OBJECT_DELETE":
			return op{action: vigil.ActionDelete}
		case "SELECT", "OBJECT_SELECT":
			return op{action: vigil.ActionSearch}
		}
		return op{action: vigil.ActionWrite}
	case "PUT":
		switch {
		case resource == "LOGGING_STATUS" || resource == "LOGGING":
			return op{action: vigil.ActionConfigure, class: "audit"}
		case strings.HasSuffix(resource, "ACL") || strings.HasSuffix(resource, "POLICY") || resource == "WEBSITE" || resource == "REPLICATION":
			return op{action: vigil.ActionShare}
		case object:
			return op{action: vigil.ActionWrite}
		}
		return op{action: vigil.ActionConfigure}
	}
	return op{action: vigil.ActionOther}
}
