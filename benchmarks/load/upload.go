package main

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
)

// upload sends every body on one client stream; its report counts bodies, and OK is said of all or of none.
func upload(ctx context.Context, asked settings, bodies [][]byte) (report, error) {
	asked.connections, asked.inFlight = 1, 1
	caller, err := newGrpcCaller(asked)
	if err != nil {
		return report{}, err
	}
	defer caller.close()
	if err := caller.warm(ctx); err != nil {
		return report{}, err
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(asked.callSeconds*float64(time.Second)))
	defer cancel()
	began := time.Now()
	err = send(limited, caller.connections[0], caller.rpc, bodies)
	elapsed := time.Since(began)
	status := answerOf(err).status
	made := report{Seconds: elapsed.Seconds(), Status: map[string]int{status: len(bodies)}}
	if status == "OK" {
		made.OK, made.Rate = len(bodies), float64(len(bodies))/elapsed.Seconds()
	}
	return made, nil
}

func send(ctx context.Context, connection *grpc.ClientConn, rpc string, bodies [][]byte) error {
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, rpc)
	if err != nil {
		return err
	}
	for _, body := range bodies {
		// io.EOF says that the server has ended the stream; why, RecvMsg says.
		if err := stream.SendMsg(body); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var response []byte
	return stream.RecvMsg(&response)
}
