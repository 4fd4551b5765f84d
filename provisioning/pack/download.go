package pack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// A connection that has not brought leastBytes within stalled is given up.
	stalled    = 30 * time.Second
	leastBytes = 4 << 10
)

var errStalled = errors.New("la liaison n’apporte presque plus rien")

// download fetches a file into part, and goes on with what is there of it. When
// it returns nil the file is whole and as it was signed.
func (a *assembly) download(ctx context.Context, part, sum string, size int64) error {
	f, err := a.root.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return full(err)
	}
	defer f.Close()
	for {
		begun, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if err := a.fill(ctx, f, sum, size); err != nil {
			return err
		}
		is, err := sumOfFile(f)
		if err != nil || is == sum {
			return err
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		if begun == 0 {
			return fmt.Errorf("%w : ce qui est arrivé n’a pas l’empreinte signée (%s…)", ErrUntrusted, sum[:12])
		}
		// What an earlier attempt has left was spoilt, by a power cut perhaps.
	}
}

func sumOfFile(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	_, err := io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// fill fetches until f has size bytes, over however many connections, as long
// as each brings something.
func (a *assembly) fill(ctx context.Context, f *os.File, sum string, size int64) error {
	for {
		have, err := f.Seek(0, io.SeekEnd)
		if err != nil || have == size {
			return err
		}
		if have > size {
			have = 0
		}
		got, err := a.more(ctx, f, have, sum, size)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
		case errors.Is(err, ErrFull), errors.Is(err, ErrUntrusted), got < leastBytes:
			return err
		}
	}
}

// more fetches what one connection brings, and tells how much
// more there is than before.
func (a *assembly) more(ctx context.Context, f *os.File, have int64, sum string, size int64) (got int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(stalled, func() { cancel(errStalled) })
	defer stall.Stop()
	path := "/files/" + sum
	body, at, whole, err := a.fetch(ctx, path, have)
	if err != nil {
		return 0, explain(path, cause(ctx, err))
	}
	defer body.Close()
	if at > have || at < 0 || whole >= 0 && whole != size {
		return 0, fmt.Errorf("%w : %s : %d octets à partir de %d, au lieu de %d", ErrUntrusted, path, whole, at, size)
	}
	if err := f.Truncate(at); err != nil {
		return 0, err
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.Copy(f, &steady{Reader: io.LimitReader(body, size-at), stall: stall})
	got = at + n - have
	switch {
	case err != nil:
		return got, fmt.Errorf("%s : %w", path, full(cause(ctx, err)))
	case at+n < size:
		return got, fmt.Errorf("%s : %w", path, io.ErrUnexpectedEOF)
	}
	return got, nil
}

// cause tells that a connection was given up, and not that ctx has ended.
func cause(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// steady puts off the moment at which a connection is given up.
type steady struct {
	io.Reader
	stall *time.Timer
	since int // bytes since the timer was set
}

func (s *steady) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if s.since += n; s.since >= leastBytes {
		s.since = 0
		s.stall.Reset(stalled)
	}
	return n, err
}
