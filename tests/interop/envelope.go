package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// envelope holds the fields of docs/formats.md, "The envelope (format 1)"; what is absent is 0 or empty.
type envelope struct {
	format                                                int64
	origin, kind                                          string
	streamID, actor, keyID, body256, commitment, prevLeaf []byte
	version, recordedAt                                   int64
}

const envelopeBytesMax = 4096

// field is one protobuf field: a number or bytes.
type field struct {
	number int
	value  uint64
	data   []byte
	isData bool
}

// fields reads fields in ascending order, each at most once, every varint in its shortest form, no default value.
func fields(data []byte) ([]field, error) {
	var found []field
	for last := 0; len(data) > 0; {
		tag, rest, err := varint(data)
		if err != nil {
			return nil, err
		}
		each := field{number: int(tag >> 3), isData: tag&7 == 2}
		if each.number <= last || (tag&7 != 0 && !each.isData) {
			return nil, fmt.Errorf("tag %#x behind field %d", tag, last)
		}
		if each.value, rest, err = varint(rest); err != nil {
			return nil, err
		}
		if each.value == 0 || each.isData && each.value > uint64(len(rest)) {
			return nil, fmt.Errorf("field %d is empty or longer than the data", each.number)
		}
		if each.isData {
			each.data, rest = rest[:each.value], rest[each.value:]
		}
		found, last, data = append(found, each), each.number, rest
	}
	return found, nil
}

func varint(data []byte) (uint64, []byte, error) {
	value, size := binary.Uvarint(data)
	if size <= 0 || size > 1 && data[size-1] == 0 {
		return 0, nil, errors.New("a varint that is cut, too large, or not in its shortest form")
	}
	return value, data[size:], nil
}

// parsePublished takes the value of a message apart: PublishedEvent{envelope, body}, nothing else.
func parsePublished(value []byte) (envelope, body []byte, err error) {
	found, err := fields(value)
	if err != nil {
		return nil, nil, err
	}
	if len(found) != 2 || found[0].number != 1 || found[1].number != 2 || !found[0].isData || !found[1].isData {
		return nil, nil, errors.New("not an envelope and a body")
	}
	return found[0].data, found[1].data, nil
}

// parseEnvelope takes exactly the bytes that docs/formats.md allows.
func parseEnvelope(data []byte) (*envelope, error) {
	if len(data) > envelopeBytesMax {
		return nil, errors.New("more than 4096 bytes")
	}
	found, err := fields(data)
	if err != nil {
		return nil, err
	}
	parsed := &envelope{}
	for _, each := range found {
		if err := parsed.set(each); err != nil {
			return nil, err
		}
	}
	return parsed, parsed.wrong()
}

func (e *envelope) set(each field) error {
	numbers := map[int]*int64{1: &e.format, 4: &e.version, 6: &e.recordedAt}
	texts := map[int]*string{2: &e.origin, 5: &e.kind}
	octets := map[int]*[]byte{
		3: &e.streamID, 7: &e.actor, 8: &e.keyID, 9: &e.body256, 10: &e.commitment, 11: &e.prevLeaf,
	}
	switch {
	case numbers[each.number] != nil && !each.isData && each.value>>63 == 0:
		*numbers[each.number] = int64(each.value)
	case texts[each.number] != nil && each.isData && utf8.Valid(each.data):
		*texts[each.number] = string(each.data)
	case octets[each.number] != nil && each.isData:
		*octets[each.number] = each.data
	default:
		return fmt.Errorf("field %d is unknown or of another type", each.number)
	}
	return nil
}

// wrong says what is missing or of another length.
func (e *envelope) wrong() error {
	switch {
	case e.format != 1:
		return fmt.Errorf("format %d", e.format)
	case e.origin == "" || e.kind == "" || e.version == 0 || e.recordedAt == 0:
		return errors.New("origin, type, stream_version or recorded_at is absent")
	case len(e.streamID) != 16 || len(e.body256) != 32:
		return errors.New("stream_id has not 16 bytes or body_sha256 not 32")
	case len(e.actor) != 0 && len(e.actor) != 16:
		return errors.New("actor has not 16 bytes")
	case len(e.keyID) != 16 || len(e.commitment) != 32:
		return errors.New("key_id has not 16 bytes or commitment not 32: the body is not sealed")
	case (e.version == 1) != (len(e.prevLeaf) == 0) || len(e.prevLeaf)%32 != 0 || len(e.prevLeaf) > 32:
		return errors.New("prev_leaf has not 32 bytes, or is not absent for version 1 alone")
	}
	return nil
}
