package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	number      = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
	traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	// The events of a record's life in ISO 21089.
	isoCodes = strings.Fields(`access amend archive attest decrypt deidentify deprecate destroy disclose encrypt extract
		hold link merge originate pseudonymize reactivate receive reidentify report restore transform transmit unhold
		unlink unmerge verify`)
)

// headerFaults compares a message's headers with its envelope and with docs/stream.md, "The message".
func headerFaults(record *kgo.Record, event *envelope) []string {
	var faults []string
	given := map[string]string{}
	for _, each := range record.Headers {
		if _, repeated := given[each.Key]; repeated {
			faults = append(faults, each.Key+" comes twice")
		}
		given[each.Key] = string(each.Value)
	}
	for name, wanted := range fixedHeaders(event, given["ce_position"]) {
		if given[name] != wanted {
			faults = append(faults, fmt.Sprintf("%s is %q, the envelope says %q", name, given[name], wanted))
		}
		delete(given, name)
	}
	for name, value := range given {
		if !allowed(name, value) {
			faults = append(faults, fmt.Sprintf("%s is %q", name, value))
		}
	}
	slices.Sort(faults)
	return faults
}

// fixedHeaders are those that follow from the envelope and the position.
func fixedHeaders(event *envelope, position string) map[string]string {
	// The origin is <prefix>/<hospital>/1.
	parts := strings.Split(event.origin, "/")
	hospital := parts[max(0, len(parts)-2)]
	return map[string]string{
		"ce_specversion":   "1.0",
		"content-type":     "application/protobuf",
		"ce_id":            hospital + "/" + position,
		"ce_source":        event.origin,
		"ce_type":          event.kind,
		"ce_subject":       uuidText(event.streamID),
		"ce_time":          time.UnixMicro(event.recordedAt).UTC().Format("2006-01-02T15:04:05.000000Z"),
		"ce_recordversion": fmt.Sprint(event.version),
	}
}

// allowed says whether a further header may be there, with this value.
func allowed(name, value string) bool {
	switch name {
	case "ce_position", "ce_prevposition":
		return number.MatchString(value)
	case "ce_isocode":
		return slices.Contains(isoCodes, value)
	case "ce_refilled":
		return value == "true"
	case "traceparent":
		return traceparent.MatchString(value)
	}
	return false
}

func uuidText(id []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
