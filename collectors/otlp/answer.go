package otlp

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/tidwall/gjson"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
)

// codeOf is a refusal's code in gRPC, httpOf its status in HTTP.
func codeOf(r reason) codes.Code {
	switch r {
	case refusedLarge, refusedBusy:
		return codes.ResourceExhausted
	case refusedSink:
		return codes.Unavailable
	}
	return codes.InvalidArgument
}

func httpOf(r reason) int {
	switch r {
	case refusedLarge:
		return http.StatusRequestEntityTooLarge
	case refusedBusy:
		return http.StatusTooManyRequests
	case refusedSink:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// again says whether a sender that was refused should come back.
func (r reason) again() bool { return r == refusedBusy || r == refusedSink }

// refusalOf is an error of taking a request as a refusal.
func refusalOf(err error) *refusal {
	var e *refusal
	if errors.As(err, &e) {
		return e
	}
	return refuse(refusedSink, "the request could not be taken: send it again")
}

// protobuf is the answer to a request that was taken: ExportLogsServiceResponse and
// ExportTraceServiceResponse are alike but for a name.
func (r result) protobuf() []byte {
	if r.rejected == 0 {
		return []byte{}
	}
	part := protowire.AppendTag(nil, 1, protowire.VarintType)
	part = protowire.AppendVarint(part, uint64(r.rejected))
	part = protowire.AppendTag(part, 2, protowire.BytesType)
	part = protowire.AppendString(part, r.text)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), part)
}

// json is the same in JSON.
func (r result) json(s signal) []byte {
	if r.rejected == 0 {
		return []byte("{}")
	}
	name := "rejectedLogRecords"
	if s == signalTraces {
		name = "rejectedSpans"
	}
	out := append([]byte(`{"partialSuccess":{"`), name...)
	out = append(strconv.AppendInt(append(out, `":"`...), r.rejected, 10), `","errorMessage":`...)
	return append(gjson.AppendJSONString(out, r.text), "}}"...)
}

// statusProtobuf and statusJSON are a refusal as google.rpc.Status.
func statusProtobuf(code codes.Code, text string) []byte {
	out := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	return protowire.AppendString(protowire.AppendTag(out, 2, protowire.BytesType), text)
}

func statusJSON(code codes.Code, text string) []byte {
	out := strconv.AppendUint([]byte(`{"code":`), uint64(code), 10)
	return append(gjson.AppendJSONString(append(out, `,"message":`...), text), '}')
}
