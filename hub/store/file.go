package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxFile is the most bytes that a file may have.
const MaxFile = 256 << 20

// filePiece is how much of a file stands in one row: what a download keeps in
// memory, and what a borne that goes on in the middle costs.
const filePiece = 256 << 10

// PutFile keeps a file that the hub hands out, and returns its SHA-256 in
// hexadecimal. The same one again changes nothing. Errors: one that is empty or
// over MaxFile.
func (s *Store) PutFile(ctx context.Context, data []byte, now time.Time) (sum string, err error) {
	if len(data) == 0 || len(data) > MaxFile {
		return "", fmt.Errorf("fichier de %d octets : de 1 à %d attendus", len(data), MaxFile)
	}
	is := sha256.Sum256(data)
	sum = hex.EncodeToString(is[:])
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO file (sha256, size, added) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			sum, len(data), ms(now))
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return nil, err
		}
		for n := 0; n*filePiece < len(data); n++ {
			piece := data[n*filePiece : min((n+1)*filePiece, len(data))]
			_, err := tx.ExecContext(ctx, `INSERT INTO file_piece (sha256, n, data) VALUES ($1, $2, $3)`, sum, n, piece)
			if err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return sum, err
}

// File opens a file for reading, by its SHA-256 in hexadecimal; it takes about
// a quarter of a megabyte of memory. Errors: ErrNotFound. Reading fails when the
// file is dropped meanwhile, or when ctx has ended.
func (s *Store) File(ctx context.Context, sum string) (*FileReader, error) {
	f, err := one(ctx, s.read, func(row scanner) (f FileReader, err error) {
		var added int64
		err = row.Scan(&f.SHA256, &f.Size, &added)
		f.Added = at(added)
		return f, err
	}, `SELECT sha256, size, added FROM file WHERE sha256 = $1`, sum)
	if err != nil {
		return nil, s.explain(err)
	}
	f.store, f.ctx, f.loaded = s, ctx, -1
	return &f, nil
}

// RemoveFiles removes the files with these SHA-256.
func (s *Store) RemoveFiles(ctx context.Context, sums ...string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		for _, sum := range sums {
			if _, err := tx.ExecContext(ctx, `DELETE FROM file_piece WHERE sha256 = $1`, sum); err != nil {
				return nil, err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM file WHERE sha256 = $1`, sum); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// FileReader reads a file from any byte on. It needs no closing.
type FileReader struct {
	SHA256 string    // in hexadecimal
	Size   int64     // bytes
	Added  time.Time // when it was kept first

	store  *Store
	ctx    context.Context // of the request that opened it: io.Reader has none
	at     int64
	loaded int64 // number of the piece in memory
	piece  []byte
}

// Read reads on from where Seek has gone.
func (r *FileReader) Read(p []byte) (int, error) {
	if r.at >= r.Size {
		return 0, io.EOF
	}
	if n := r.at / filePiece; n != r.loaded {
		piece, err := one(r.ctx, r.store.read, scanOne[[]byte], `SELECT data FROM file_piece WHERE sha256 = $1 AND n = $2`, r.SHA256, n)
		if err != nil {
			return 0, fmt.Errorf("fichier %s : %w", r.SHA256, r.store.explain(err))
		}
		r.loaded, r.piece = n, piece
	}
	within := r.at % filePiece
	if within >= int64(len(r.piece)) {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, r.piece[within:])
	r.at += int64(n)
	return n, nil
}

// Seek sets where the next Read begins.
func (r *FileReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	r.at = offset
	return offset, nil
}
