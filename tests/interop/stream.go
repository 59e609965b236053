package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	readSecondsMax = 30
	faultsMax      = 20
)

// checkStream reads a topic of records from its first to its last committed message and checks every one of them by
// docs/stream.md and docs/formats.md alone. It prints what the topic holds, as JSON.
func checkStream(ctx context.Context, broker, topic, origin string) error {
	ctx, cancel := context.WithTimeout(ctx, readSecondsMax*time.Second)
	defer cancel()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(broker),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// The last offsets of a partition are markers: only who is shown them knows that the end is reached.
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	if err != nil {
		return err
	}
	if err := ends.Error(); err != nil {
		return err
	}
	check := newTopicCheck(origin, len(ends[topic]))
	if err := readUpTo(ctx, client, ends[topic], check.message); err != nil {
		return err
	}
	check.positions()
	return report(check)
}

// readUpTo hands out every committed message below the ends, in order within each partition.
func readUpTo(
	ctx context.Context, client *kgo.Client, ends map[int32]kadm.ListedOffset, take func(*kgo.Record),
) error {
	left := map[int32]int64{}
	for partition, end := range ends {
		if end.Offset > 0 {
			left[partition] = end.Offset
		}
	}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("%d partitions not read to their end: %w", len(left), err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			end, open := left[record.Partition]
			if !open {
				return
			}
			if !record.Attrs.IsControl() {
				take(record)
			}
			if record.Offset+1 >= end {
				delete(left, record.Partition)
			}
		})
	}
	return nil
}

// report prints the summary; where something is wrong, it is named instead, the first faults of all.
func report(check *topicCheck) error {
	if len(check.faults) == 0 {
		return json.NewEncoder(os.Stdout).Encode(check.summary())
	}
	for _, fault := range check.faults[:min(len(check.faults), faultsMax)] {
		fmt.Fprintln(os.Stderr, fault)
	}
	return errors.New("the topic is not what docs/stream.md promises")
}
