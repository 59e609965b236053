package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

func readBodies(path string) ([][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var bodies [][]byte
	for at := 0; at < len(data); {
		if len(data)-at < 4 {
			return nil, fmt.Errorf("%s: a length is cut at byte %d", path, at)
		}
		size := int(binary.BigEndian.Uint32(data[at:]))
		if len(data)-at-4 < size {
			return nil, fmt.Errorf("%s: a body is cut at byte %d", path, at)
		}
		bodies = append(bodies, data[at+4:at+4+size])
		at += 4 + size
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("%s: no body", path)
	}
	return bodies, nil
}
