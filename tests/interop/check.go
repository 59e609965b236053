package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	f_proof "github.com/transparency-dev/formats/proof"
	f_witness "github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// consistency is one line of consistency.json: hashes are base64 there.
type consistency struct {
	OldSize int64       `json:"old_size"`
	OldRoot tlog.Hash   `json:"old_root"`
	Hashes  []tlog.Hash `json:"hashes"`
}

// checkLog verifies everything that a log's folder holds, each thing with every tool that can.
func checkLog(ctx context.Context, dir string) error {
	verifier, err := note.NewVerifier(read(dir, "log.vkey"))
	if err != nil {
		return fmt.Errorf("log.vkey: %w", err)
	}
	raw := []byte(read(dir, "checkpoint"))
	checkpoint, err := checkCheckpoint(dir, raw, verifier)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	files := client.FileFetcher{Root: dir}
	if err := fsck.New(verifier.Name(), verifier, files, leafHashes, fsck.Opts{N: 2}).Check(ctx); err != nil {
		return fmt.Errorf("fsck: %w", err)
	}
	tree := tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}
	proofs, err := checkProofs(dir, raw, tree)
	if err != nil {
		return err
	}
	histories, err := checkConsistency(dir, tree)
	if err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	fmt.Printf("%d leaves, %d proofs, %d older sizes\n", checkpoint.Size, proofs, histories)
	return nil
}

// checkCheckpoint opens the note with the log's key and each witness's, and asks the policy.
func checkCheckpoint(dir string, raw []byte, verifier note.Verifier) (*log.Checkpoint, error) {
	policy, err := f_witness.ParsePolicy([]byte(read(dir, "policy")))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if !policy.Satisfied(raw) {
		return nil, errors.New("the policy is not satisfied")
	}
	witnesses := []note.Verifier{}
	for line := range strings.Lines(read(dir, "witnesses.vkeys")) {
		witness, err := f_note.NewVerifierForCosignatureV1(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("witnesses.vkeys: %w", err)
		}
		witnesses = append(witnesses, witness)
	}
	// While the log changes its key a head bears two signatures of its name; a reader who knows both finds that both hold.
	following, err := note.NewVerifier(read(dir, "following.vkey"))
	if err != nil {
		return nil, fmt.Errorf("following.vkey: %w", err)
	}
	checkpoint, _, opened, err := log.ParseCheckpoint(raw, verifier.Name(), verifier, append(witnesses, following)...)
	if err != nil {
		return nil, err
	}
	if len(opened.Sigs) != 2+len(witnesses) || len(opened.UnverifiedSigs) != 1 {
		return nil, fmt.Errorf("%d signatures hold, %d are of unknown keys", len(opened.Sigs), len(opened.UnverifiedSigs))
	}
	return checkpoint, nil
}

// checkProofs verifies each .tlog-proof, and that Go makes the same proof out of the same tiles.
func checkProofs(dir string, raw []byte, tree tlog.Tree) (int, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	if err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tree, tileFolder(dir))
	for _, name := range names {
		var given f_proof.TLogProof
		text, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		if err := given.Unmarshal(text); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		if !slices.Equal(given.Checkpoint, raw) || !slices.Equal(given.Marshal(), text) {
			return 0, fmt.Errorf("%s: comes back as other bytes", name)
		}
		if err := checkInclusion(dir, given, tree, reader); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	return len(names), nil
}

func checkInclusion(dir string, given f_proof.TLogProof, tree tlog.Tree, reader tlog.HashReader) error {
	bundle, err := client.GetEntryBundle(context.Background(), client.FileFetcher{Root: dir}.ReadEntryBundle,
		given.Index/layout.EntryBundleWidth, uint64(tree.N))
	if err != nil {
		return err
	}
	leaf := tlog.RecordHash(bundle.Entries[given.Index%layout.EntryBundleWidth])
	hashes := [][]byte{}
	record := tlog.RecordProof{}
	for _, hash := range given.Hashes {
		hashes = append(hashes, hash[:])
		record = append(record, hash)
	}
	if err := tlog.CheckRecord(record, tree.N, tree.Hash, int64(given.Index), leaf); err != nil {
		return err
	}
	err = proof.VerifyInclusion(rfc6962.DefaultHasher, given.Index, uint64(tree.N), leaf[:], hashes, tree.Hash[:])
	if err != nil {
		return err
	}
	made, err := tlog.ProveRecord(tree.N, int64(given.Index), reader)
	if err != nil {
		return err
	}
	if !slices.Equal(made, record) {
		return errors.New("Go makes another proof")
	}
	return nil
}

// checkConsistency verifies the proofs from older sizes, and that Go makes the same ones.
func checkConsistency(dir string, tree tlog.Tree) (int, error) {
	var histories []consistency
	if err := json.Unmarshal([]byte(read(dir, "consistency.json")), &histories); err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tree, tileFolder(dir))
	for _, old := range histories {
		if err := tlog.CheckTree(old.Hashes, tree.N, tree.Hash, old.OldSize, old.OldRoot); err != nil {
			return 0, err
		}
		hashes := [][]byte{}
		for _, hash := range old.Hashes {
			hashes = append(hashes, hash[:])
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old.OldSize), uint64(tree.N), hashes,
			old.OldRoot[:], tree.Hash[:]); err != nil {
			return 0, err
		}
		made, err := tlog.ProveTree(tree.N, old.OldSize, reader)
		if err != nil {
			return 0, err
		}
		if !slices.Equal(made, old.Hashes) {
			return 0, errors.New("Go makes another proof")
		}
	}
	return len(histories), nil
}

// leafHashes are those of an entry bundle.
func leafHashes(data []byte) ([][]byte, error) {
	bundle := api.EntryBundle{}
	if err := bundle.UnmarshalText(data); err != nil {
		return nil, err
	}
	hashes := [][]byte{}
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// read gives a file as text; a missing file is an empty one, which no check accepts.
func read(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return string(data)
}
