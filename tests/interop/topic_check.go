package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// topicCheck is what is known of a topic from the messages that were seen.
type topicCheck struct {
	origin     string
	partitions int
	hash       kgo.TopicPartitioner
	last       []int64
	streams    map[string]*streamHead
	seen       map[int64][32]byte
	kinds      map[string]int
	faults     []string
}

// streamHead is the newest event of a stream.
type streamHead struct {
	Version    int64  `json:"version"`
	Leaf       string `json:"leaf"`
	recordedAt int64
}

func newTopicCheck(origin string, partitions int) *topicCheck {
	return &topicCheck{
		origin: origin, partitions: partitions,
		// The client's own murmur2: where any producer of the ecosystem would have put this key.
		hash: kgo.StickyKeyPartitioner(nil).ForTopic(""),
		last: make([]int64, partitions), streams: map[string]*streamHead{}, seen: map[int64][32]byte{},
		kinds: map[string]int{},
	}
}

// message checks one message by itself, and against those before it in its partition and in its stream.
func (c *topicCheck) message(record *kgo.Record) {
	wrong := func(format string, values ...any) {
		position := string(header(record, "ce_position"))
		at := fmt.Sprintf("partition %d offset %d position %s: ", record.Partition, record.Offset, position)
		c.faults = append(c.faults, at+fmt.Sprintf(format, values...))
	}
	stored, body, err := parsePublished(record.Value)
	if err != nil {
		wrong("PublishedEvent: %v", err)
		return
	}
	event, err := parseEnvelope(stored)
	if err != nil {
		wrong("envelope: %v", err)
		return
	}
	if digest := sha256.Sum256(body); !bytes.Equal(digest[:], event.body256) {
		wrong("body_sha256 is not the body's")
	}
	if event.origin != c.origin {
		wrong("origin %q", event.origin)
	}
	if !bytes.Equal(record.Key, event.streamID) {
		wrong("the key is not the stream id")
	}
	if wanted := c.hash.Partition(record, c.partitions); int(record.Partition) != wanted {
		wrong("the key belongs to partition %d", wanted)
	}
	for _, fault := range headerFaults(record, event) {
		wrong("%s", fault)
	}
	c.inPartition(record, wrong)
	c.inStream(event, sha256.Sum256(append([]byte{0}, stored...)), wrong)
	c.count(record, event, stored, body, wrong)
}

// inPartition: each message names the position before it in its partition, 0 before the first.
func (c *topicCheck) inPartition(record *kgo.Record, wrong func(string, ...any)) {
	before := c.last[record.Partition]
	if found := decimal(record, "ce_prevposition"); found != before {
		wrong("ce_prevposition is %d, the position before is %d", found, before)
	}
	position := decimal(record, "ce_position")
	if position <= before {
		wrong("comes behind position %d", before)
	}
	c.last[record.Partition] = position
}

// inStream: versions without a gap, each with the leaf of the one before; time never goes back.
func (c *topicCheck) inStream(event *envelope, leaf [32]byte, wrong func(string, ...any)) {
	id := uuidText(event.streamID)
	before := c.streams[id]
	if before == nil {
		before = &streamHead{}
	}
	if event.version != before.Version+1 {
		wrong("version %d of stream %s comes behind %d", event.version, id, before.Version)
	}
	if hex.EncodeToString(event.prevLeaf) != before.Leaf {
		wrong("prev_leaf is not the leaf of version %d of stream %s", before.Version, id)
	}
	if event.recordedAt < before.recordedAt {
		wrong("recorded before the event before it")
	}
	c.streams[id] = &streamHead{event.version, hex.EncodeToString(leaf[:]), event.recordedAt}
}

func (c *topicCheck) count(
	record *kgo.Record, event *envelope, stored, body []byte, wrong func(string, ...any),
) {
	position := decimal(record, "ce_position")
	if _, repeated := c.seen[position]; repeated {
		wrong("comes twice")
	}
	c.seen[position] = sha256.Sum256(slicesWithLengths(stored, body))
	c.kinds[event.kind]++
}

// positions: over all partitions every position from 1 on is there.
func (c *topicCheck) positions() {
	for position := int64(1); position <= int64(len(c.seen)); position++ {
		if _, found := c.seen[position]; !found {
			c.faults = append(c.faults, fmt.Sprintf("position %d is missing", position))
		}
	}
}

// topicSummary is for a comparison with the ledger that the topic came from.
type topicSummary struct {
	Partitions int                    `json:"partitions"`
	Events     int                    `json:"events"`
	Last       []int64                `json:"last_positions"`
	Kinds      map[string]int         `json:"types"`
	Streams    map[string]*streamHead `json:"streams"`
	// Digest is SHA-256 over SHA-256(length of envelope || envelope || length of body || body) in order of position;
	// lengths are 8 bytes, big-endian.
	Digest string `json:"digest"`
}

func (c *topicCheck) summary() topicSummary {
	all := sha256.New()
	for position := range int64(len(c.seen)) {
		each := c.seen[position+1]
		all.Write(each[:])
	}
	return topicSummary{c.partitions, len(c.seen), c.last, c.kinds, c.streams, hex.EncodeToString(all.Sum(nil))}
}

func slicesWithLengths(parts ...[]byte) []byte {
	var joined []byte
	for _, part := range parts {
		joined = append(binary.BigEndian.AppendUint64(joined, uint64(len(part))), part...)
	}
	return joined
}

func header(record *kgo.Record, name string) []byte {
	for _, each := range record.Headers {
		if each.Key == name {
			return each.Value
		}
	}
	return nil
}

// decimal is the number in a header; -1 where there is none, which no check accepts.
func decimal(record *kgo.Record, name string) int64 {
	number, err := strconv.ParseInt(string(header(record, name)), 10, 64)
	if err != nil {
		return -1
	}
	return number
}
