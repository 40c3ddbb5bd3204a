package otlp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // exporters pack with it
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// noMetrics is the answer to metrics.
const noMetrics = "vigil takes logs and traces, no metrics: leave the metrics exporter out"

const (
	// maxStreamsPerConnection bounds the calls of one connection at once.
	maxStreamsPerConnection = 64
	// connectTimeout bounds the handshakes, keepAlive is after how long without a sign a
	// connection is asked whether it still lives, keepAliveWait how long the answer may take.
	connectTimeout = 10 * time.Second
	keepAlive      = time.Minute
	keepAliveWait  = 20 * time.Second
	// leastKeepAlive is how often a client may ask us that.
	leastKeepAlive = 10 * time.Second
	// idleTimeout is how long a connection without a call stays.
	idleTimeout = 5 * time.Minute
	maxHeader   = 64 << 10
	// window is how much of a message is taken before its call is admitted, in bytes.
	window = 256 << 10
	// connectionWindow is that of a whole connection.
	connectionWindow = 2 << 20
)

// rawCodec gives messages as they are sent: they are read by this package itself, record by
// record, so that a small message that stands for a large one takes no memory.
type rawCodec struct{}

// Name implements encoding.CodecV2.
func (rawCodec) Name() string { return "proto" }

// Marshal implements encoding.CodecV2.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("marshal %T: it is no message of ours", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("unmarshal into %T: it is no message of ours", v)
	}
	*b = data.Materialize()
	return nil
}

// ServeGRPC takes OTLP over gRPC on a listener until stop is called. stop lets the calls
// that are under way end as long as its context lasts. The listener is closed by it.
func (r *Receiver) ServeGRPC(l net.Listener) (stop func(ctx context.Context) error) {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.MaxRecvMsgSize(r.cfg.MaxBody),
		grpc.MaxConcurrentStreams(maxStreamsPerConnection),
		grpc.ConnectionTimeout(connectTimeout),
		grpc.MaxHeaderListSize(maxHeader),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(connectionWindow),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTimeout, Time: keepAlive, Timeout: keepAliveWait}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: leastKeepAlive, PermitWithoutStream: true}),
	}
	if r.opts.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(r.opts.TLS)))
	}
	server := grpc.NewServer(options...)
	r.register(server)
	open := &connections{Listener: l, open: map[*connection]struct{}{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(open); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			r.opts.Logger.Error("server ended", "address", l.Addr().String(), "error", err.Error())
		}
	}()
	return func(ctx context.Context) error {
		graceful := make(chan struct{})
		go func() {
			defer close(graceful)
			server.GracefulStop()
		}()
		var err error
		select {
		case <-graceful:
		case <-ctx.Done():
			err = fmt.Errorf("end the calls under way: %w", ctx.Err())
			open.cut() // those in the middle of a handshake too, for which Stop would wait
			server.Stop()
			<-graceful
		}
		<-done
		return err
	}
}

// register names the services. Their calls are plain ones for the sender; here they are
// streams, so that a call is admitted before its message is read.
func (r *Receiver) register(to grpc.ServiceRegistrar) {
	for name, handler := range map[string]grpc.StreamHandler{
		"opentelemetry.proto.collector.logs.v1.LogsService":   r.calls(signalLogs),
		"opentelemetry.proto.collector.trace.v1.TraceService": r.calls(signalTraces),
		"opentelemetry.proto.collector.metrics.v1.MetricsService": func(_ any, call grpc.ServerStream) error {
			if r.caller(call) == nil {
				return status.Error(codes.Unauthenticated, "")
			}
			return status.Error(codes.Unimplemented, noMetrics)
		},
	} {
		to.RegisterService(&grpc.ServiceDesc{
			ServiceName: name, HandlerType: (*any)(nil),
			Streams: []grpc.StreamDesc{{StreamName: "Export", Handler: handler, ClientStreams: true}},
		}, r)
	}
}

// caller tells who calls; nil for nobody we know.
func (r *Receiver) caller(call grpc.ServerStream) *source {
	md, _ := metadata.FromIncomingContext(call.Context())
	given := md.Get("authorization")
	if len(given) != 1 {
		return nil
	}
	return r.sender(given[0])
}

func (r *Receiver) calls(sig signal) grpc.StreamHandler {
	return func(_ any, call grpc.ServerStream) error {
		s := r.caller(call)
		if s == nil {
			return status.Error(codes.Unauthenticated, "") // bare: a guess learns nothing
		}
		leave, err := r.enter(call.Context(), s)
		if err != nil {
			return statusOf(refusalOf(err))
		}
		defer leave()
		message, unread := receive(call)
		if unread != nil && !unusable(unread) {
			return unread
		}
		ctx := call.Context()
		if unread != nil {
			// gRPC has told the sender and ended the call; the request is set aside all the same.
			ctx = context.WithoutCancel(ctx)
		}
		out, err := r.take(ctx, s, sig, r.binary, func() ([]byte, error) {
			switch {
			case status.Code(unread) == codes.ResourceExhausted:
				return nil, refuse(refusedLarge, "the request is larger than %d bytes: send fewer records at once", r.cfg.MaxBody)
			case unread != nil:
				return nil, refuse(refusedBad, "the packed request is damaged, or not packed as it says")
			}
			return message, nil
		})
		if err != nil {
			return statusOf(refusalOf(err))
		}
		return call.SendMsg(out.protobuf())
	}
}

// unusable says that a message came and can't be used, rather than that none came.
func unusable(err error) bool {
	switch status.Code(err) {
	case codes.ResourceExhausted, codes.Internal:
		return true
	}
	return false
}

// receive reads the call's message, in bounded time: a sender that trickles must not hold
// its place for ever. The call ends with the handler, and the reading with the call.
func receive(call grpc.ServerStream) ([]byte, error) {
	type received struct {
		message []byte
		err     error
	}
	got := make(chan received, 1)
	go func() {
		var m received
		m.err = call.RecvMsg(&m.message)
		got <- m
	}()
	timer := time.NewTimer(readTimeout)
	defer timer.Stop()
	select {
	case m := <-got:
		return m.message, m.err
	case <-timer.C:
		return nil, status.Error(codes.DeadlineExceeded, "the request took too long to come: send it again")
	}
}

// statusOf is a refusal as gRPC has it. Senders come again at Unavailable, and at
// ResourceExhausted where it says when.
func statusOf(e *refusal) error {
	st := status.New(codeOf(e.reason), e.text)
	if !e.reason.again() {
		return st.Err()
	}
	detailed, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(e.after())})
	if err != nil {
		return st.Err()
	}
	return detailed.Err()
}
