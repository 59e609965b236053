package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

const errorBytesMax = 64 * 1024

// connectCaller speaks the Connect protocol's unary form in protobuf over HTTP/1.1, which is what the service offers.
type connectCaller struct {
	client *http.Client
	url    string
}

func newConnectCaller(asked settings) *connectCaller {
	transport := &http.Transport{
		MaxIdleConns:        asked.inFlight,
		MaxIdleConnsPerHost: asked.inFlight,
		DisableCompression:  true,
	}
	return &connectCaller{&http.Client{Transport: transport}, "http://" + asked.address + "/" + asked.rpc}
}

// warm: connections are made by the first calls, which a run of seconds does not feel.
func (c *connectCaller) warm(context.Context) error { return nil }

func (c *connectCaller) call(ctx context.Context, body []byte) answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return answer{status: "INTERNAL"}
	}
	request.Header.Set("Content-Type", "application/proto")
	request.Header.Set("Connect-Protocol-Version", "1")
	response, err := c.client.Do(request)
	if err != nil {
		return answer{status: "UNAVAILABLE"}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer{status: statusOf(response.Body)}
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return answer{status: "UNAVAILABLE"}
	}
	return answer{status: "OK"}
}

func (c *connectCaller) close() { c.client.CloseIdleConnections() }

func statusOf(body io.Reader) string {
	var told struct {
		Code string `json:"code"`
	}
	if json.NewDecoder(io.LimitReader(body, errorBytesMax)).Decode(&told) != nil || told.Code == "" {
		return "UNKNOWN"
	}
	return strings.ToUpper(told.Code)
}
