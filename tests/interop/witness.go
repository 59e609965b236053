package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

// answer is what the independent witness says to one request.
type answer struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}

// answerRequests hands requests/* in order of name to an independent witness that follows the log of log.vkey, and
// writes witness.vkey and answers.json.
func answerRequests(ctx context.Context, dir string) error {
	handler, err := newWitness(ctx, dir)
	if err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(dir, "requests", "*"))
	if err != nil {
		return err
	}
	slices.Sort(names)
	answers := []answer{}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		recorder := httptest.NewRecorder()
		handler.AddCheckpoint(recorder, httptest.NewRequest("POST", "/add-checkpoint", bytes.NewReader(body)))
		answers = append(answers, answer{recorder.Code, recorder.Header().Get("Content-Type"), recorder.Body.String()})
	}
	data, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	return write(dir, "answers.json", data)
}

func newWitness(ctx context.Context, dir string) (*witness.HTTPHandler, error) {
	verifier, err := note.NewVerifier(read(dir, "log.vkey"))
	if err != nil {
		return nil, err
	}
	private, public, err := note.GenerateKey(rand.Reader, "witness.example/independent")
	if err != nil {
		return nil, err
	}
	signer, err := f_note.NewSignerForCosignatureV1(private)
	if err != nil {
		return nil, err
	}
	cosigner, err := f_note.VKeyToCosignatureV1(public)
	if err != nil {
		return nil, err
	}
	if err := write(dir, "witness.vkey", []byte(cosigner)); err != nil {
		return nil, err
	}
	made, err := witness.New(ctx, witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return verifier, origin == verifier.Name(), nil
		},
	})
	if err != nil {
		return nil, err
	}
	return witness.NewHTTPHandler(made), nil
}
