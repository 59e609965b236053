package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	origin       = "interop.example/go/1"
	leavesInMade = 1000
)

// madeTree is a log in memory, as Go's tlog stores it.
type madeTree struct {
	entries [][]byte
	hashes  []tlog.Hash
}

func (tree *madeTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := []tlog.Hash{}
	for _, index := range indexes {
		found = append(found, tree.hashes[index])
	}
	return found, nil
}

// makeLog writes a log: tiles, entries, a cosigned checkpoint, proofs, keys and a policy.
func makeLog(dir string) error {
	tree := &madeTree{}
	for n := range int64(leavesInMade) {
		entry := fmt.Appendf(nil, "entry %d", n)
		hashes, err := tlog.StoredHashes(n, entry, tree)
		if err != nil {
			return err
		}
		tree.entries, tree.hashes = append(tree.entries, entry), append(tree.hashes, hashes...)
	}
	if err := writeTiles(dir, tree); err != nil {
		return err
	}
	root, err := tlog.TreeHash(leavesInMade, tree)
	if err != nil {
		return err
	}
	checkpoint, err := writeSigned(dir, root)
	if err != nil {
		return err
	}
	return writeProofs(dir, tree, checkpoint)
}

func writeTiles(dir string, tree *madeTree) error {
	for _, tile := range tlog.NewTiles(tileHeight, 0, leavesInMade) {
		data, err := tlog.ReadTileData(tile, tree)
		if err != nil {
			return err
		}
		if err := write(dir, tilePath(tile), data); err != nil {
			return err
		}
		if tile.L != 0 {
			continue
		}
		bundle := bytes.Buffer{}
		for at := range tile.W {
			entry := tree.entries[int(tile.N)*layout.EntryBundleWidth+at]
			bundle.Write(binary.BigEndian.AppendUint16(nil, uint16(len(entry))))
			bundle.Write(entry)
		}
		path := layout.EntriesPath(uint64(tile.N), uint8(tile.W%(1<<tileHeight)))
		if err := write(dir, path, bundle.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// writeSigned makes the keys, and signs and cosigns the checkpoint.
func writeSigned(dir string, root tlog.Hash) ([]byte, error) {
	private, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	logSigner, err := note.NewSigner(private)
	if err != nil {
		return nil, err
	}
	signers := []note.Signer{logSigner}
	policy := &strings.Builder{}
	fmt.Fprintf(policy, "log %s\n", public)
	for _, name := range []string{"w1", "w2"} {
		private, public, err := note.GenerateKey(rand.Reader, "witness.example/"+name)
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
		signers = append(signers, signer)
		fmt.Fprintf(policy, "witness %s %s https://%s.example/\n", name, cosigner, name)
	}
	policy.WriteString("group both all w1 w2\nquorum both\n")
	if err := write(dir, "policy", []byte(policy.String())); err != nil {
		return nil, err
	}
	text := log.Checkpoint{Origin: origin, Size: leavesInMade, Hash: root[:]}.Marshal()
	checkpoint, err := note.Sign(&note.Note{Text: string(text)}, signers...)
	if err != nil {
		return nil, err
	}
	return checkpoint, write(dir, "checkpoint", checkpoint)
}

func writeProofs(dir string, tree *madeTree, checkpoint []byte) error {
	for _, index := range []int64{0, 255, 256, 777, leavesInMade - 1} {
		made, err := tlog.ProveRecord(leavesInMade, index, tree)
		if err != nil {
			return err
		}
		file := f_proof.TLogProof{Index: uint64(index), Checkpoint: checkpoint, ExtraData: fmt.Appendf(nil, "extra %d", index)}
		for _, hash := range made {
			file.Hashes = append(file.Hashes, hash)
		}
		if err := write(dir, fmt.Sprintf("%d.tlog-proof", index), file.Marshal()); err != nil {
			return err
		}
	}
	histories := []consistency{}
	for _, size := range []int64{1, 255, 256, 300, leavesInMade} {
		made, err := tlog.ProveTree(leavesInMade, size, tree)
		if err != nil {
			return err
		}
		root, err := tlog.TreeHash(size, tree)
		if err != nil {
			return err
		}
		histories = append(histories, consistency{OldSize: size, OldRoot: root, Hashes: made})
	}
	data, err := json.Marshal(histories)
	if err != nil {
		return err
	}
	return write(dir, "consistency.json", data)
}

func write(dir, name string, data []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
