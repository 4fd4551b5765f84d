package machine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What can keep the journal from being read. IT reads these, hence French.
var (
	// ErrNoJournal says that this machine keeps no journal.
	ErrNoJournal = errors.New("pas de journal systemd sur cette machine : donnez les fichiers à lire avec --logs")
	// ErrJournalDenied says that this user may not read it.
	ErrJournalDenied = errors.New("journal illisible par cet utilisateur : ajoutez-le au groupe systemd-journal")
)

// Logs returns what the journal has of units ("parvis.service") and of the
// kernel's warnings, no older than since: a line an entry, the newest last. Of
// more than max bytes the oldest lines go. What might be somebody's number is
// masked.
//
// It asks journalctl, as the library for the journal's files would have to be
// there when Parvis is built, and their format is systemd's own affair.
func Logs(ctx context.Context, units []string, since time.Duration, max int) ([]byte, error) {
	return journal(ctx, nil, units, since, max)
}

// journal passes more to journalctl: which journal to read.
func journal(ctx context.Context, which, units []string, since time.Duration, max int) ([]byte, error) {
	from := time.Now().Add(-since).UnixMicro()
	args := append([]string{"--no-pager", "--output=short-iso", fmt.Sprintf("--since=@%d.%06d", from/1e6, from%1e6)}, which...)
	cmd := exec.CommandContext(ctx, "journalctl", append(args, matches(units)...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8") // its errors are told apart below
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("journalctl : %w", err)
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, ErrNoJournal
		}
		return nil, fmt.Errorf("journalctl : %w", err)
	}
	text, err := newest(out, max)
	ended := cmd.Wait()
	switch known := complaint(said.Bytes()); {
	case known != nil:
		return nil, known
	case ctx.Err() != nil:
		return nil, fmt.Errorf("journalctl : %w", ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("journalctl : %w", err)
	case ended != nil:
		return nil, fmt.Errorf("journalctl : %w : %s", ended, bytes.TrimSpace(said.Bytes()))
	case string(text) == "-- No entries --\n":
		return nil, nil
	}
	return text, nil
}

// complaint tells a journal that isn't there, or may not be read, from an empty
// hour: journalctl may end well in each case.
func complaint(said []byte) error {
	switch {
	case bytes.Contains(said, []byte("No journal files were found")):
		return ErrNoJournal
	case bytes.Contains(said, []byte("insufficient permissions")), bytes.Contains(said, []byte("Users in groups")):
		return ErrJournalDenied
	}
	return nil
}

// matches selects what units have written, what systemd says of them, and the
// kernel's warnings and worse. A "+" is an or; the same field twice is an or.
func matches(units []string) []string {
	var m []string
	for _, u := range units {
		m = append(m, "_SYSTEMD_UNIT="+u, "+", "_PID=1", "UNIT="+u, "+")
	}
	m = append(m, "_TRANSPORT=kernel")
	for priority := range 5 { // emergency to warning
		m = append(m, "PRIORITY="+strconv.Itoa(priority))
	}
	return m
}

// Tail returns the newest lines of log files, for a desk without a journal: max
// bytes together at most, masked as Logs does.
func Tail(files []string, max int) ([]byte, error) {
	var all bytes.Buffer
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("fichier de --logs : %w", err)
		}
		text, err := newest(f, max/len(files))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("fichier de --logs : %s : %w", name, err)
		}
		all.Write(text)
	}
	return all.Bytes(), nil
}

// newest reads to the end and returns the last whole lines, masked, max bytes
// at most. It holds little more than that, however much there is to read.
func newest(r io.Reader, max int) ([]byte, error) {
	var kept []byte
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		// A line longer than the buffer comes in parts, each a line.
		part, err := lines.ReadSlice('\n')
		if len(part) > 0 {
			kept = append(kept, mask(part)...)
			if part[len(part)-1] != '\n' {
				kept = append(kept, '\n')
			}
		}
		if len(kept) > 2*max+lines.Size() {
			kept = append(kept[:0], lastLines(kept, max)...)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return bytes.ToValidUTF8(lastLines(kept, max), []byte("?")), err
		}
	}
}

// lastLines is the end of text from the start of a line, max bytes at most.
func lastLines(text []byte, max int) []byte {
	if len(text) <= max {
		return text
	}
	cut := len(text) - max
	if text[cut-1] != '\n' {
		next := bytes.IndexByte(text[cut:], '\n')
		if next < 0 {
			return nil
		}
		cut += next + 1
	}
	return text[cut:]
}

// What may be somebody's number: no program of ours logs one, and this makes
// sure.
var numbers = regexp.MustCompile(strings.Join([]string{
	`[0-9]{8,}`,
	`(?:\+33[ .]?|\b0)[1-9](?:[ .-]?[0-9]{2}){4}\b`, // a telephone, in pairs
}, "|"))

func mask(line []byte) []byte { return numbers.ReplaceAll(line, []byte("********")) }
