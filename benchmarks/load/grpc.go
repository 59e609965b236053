package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const warmSecondsMax = 10 * time.Second

// raw hands bytes through as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(value any) ([]byte, error) {
	body, ok := value.([]byte)
	if !ok {
		return nil, fmt.Errorf("raw: %T is not bytes", value)
	}
	return body, nil
}

func (raw) Unmarshal(data []byte, value any) error {
	into, ok := value.(*[]byte)
	if !ok {
		return fmt.Errorf("raw: %T holds no bytes", value)
	}
	*into = append([]byte(nil), data...)
	return nil
}

type grpcCaller struct {
	connections []*grpc.ClientConn
	rpc         string
	next        atomic.Uint64
}

func newGrpcCaller(asked settings) (*grpcCaller, error) {
	made := &grpcCaller{rpc: "/" + asked.rpc}
	for range min(asked.connections, asked.inFlight) {
		connection, err := dial(asked.address)
		if err != nil {
			made.close()
			return nil, err
		}
		made.connections = append(made.connections, connection)
	}
	return made, nil
}

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(
		address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})),
		grpc.WithDisableRetry(),
	)
}

func (c *grpcCaller) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, warmSecondsMax)
	defer cancel()
	for _, connection := range c.connections {
		connection.Connect()
		for state := connection.GetState(); state != connectivity.Ready; state = connection.GetState() {
			if !connection.WaitForStateChange(ctx, state) {
				return fmt.Errorf("no connection to %s within %s", connection.Target(), warmSecondsMax)
			}
		}
	}
	return nil
}

func (c *grpcCaller) call(ctx context.Context, body []byte) answer {
	connection := c.connections[c.next.Add(1)%uint64(len(c.connections))]
	var response []byte
	return answerOf(connection.Invoke(ctx, c.rpc, body, &response))
}

func (c *grpcCaller) close() {
	for _, each := range c.connections {
		each.Close()
	}
}

func answerOf(err error) answer {
	told := status.Convert(err)
	got := answer{status: canonical[told.Code()]}
	for _, detail := range told.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			got.retryAfter = retry.GetRetryDelay().AsDuration()
		}
	}
	return got
}
