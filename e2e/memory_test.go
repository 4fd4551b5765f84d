package e2e

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"parvis/e2e/xdrive"
)

// memory calls look with each part of the program's memory that it may write:
// heap, stacks, and what its C libraries hold.
func memory(t *testing.T, pid int, look func(part []byte)) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") {
			continue
		}
		const size = 1 << 20
		part := make([]byte, size+64)
		for at := from; at < to; at += size {
			n, err := mem.ReadAt(part[:min(int64(len(part)), to-at)], at)
			if n == 0 || err != nil {
				continue
			}
			look(part[:n])
		}
	}
}

// TestMemoryForgets looks into the program's memory after visits in which
// something was typed. The collector overwrites what it frees here
// (clobberfree), so that all that is still found is still held by something.
func TestMemoryForgets(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning, "GODEBUG=clobberfree=1"}})
	for _, c := range []struct {
		name, number, first string
		after               func() // what the resident does after the review
	}{
		{"left at the review", "0687914253", "Zélinda", func() { leave(b) }},
		{"sent", "0692735164", "Théodule", func() {
			find(b, "consent", "send")
			b.WaitPage("callback.done")
			print(t, b)
			tap(b, "leave", "leaving.finish")
		}},
		{"searched", "0135792468", "Ignace", func() {
			tap(b, "nav.home", "help")
			find(b, "search")
			write(b, "ignace")
			tap(b, "nav.home", "demarches", "search")
			write(b, "ignace")
			leave(b)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			visit(t, b)
			tap(b, "start", "callback")
			find(b, "topic:justice")
			write(b, c.number)
			find(b, "continue", "slot:any", "continue")
			write(b, c.first)
			find(b, "continue")
			traces := []string{c.number[1:8], pairs(c.number)[1:], c.first[1:]}
			for _, trace := range traces[1:] {
				if !slices.Contains(remembered(t, b, traces), trace) {
					t.Errorf("while it is on the glass, %q is not found: the search is of no use", trace)
				}
			}
			c.after()
			b.WaitPage("attract")
			b.Wait("the memory to be wiped", func() bool { return len(remembered(t, b, traces)) == 0 })
		})
	}
	st := b.OpenStore()
	defer st.Close()
	if sealed, err := st.Unfound(t.Context()); err != nil || len(sealed) != 2 {
		t.Errorf("%d searches that found nothing were sealed, not 2: %v", len(sealed), err)
	}
}

// pairs writes a number as the borne shows it.
func pairs(number string) string {
	return string(bytes.Join(slices.Collect(slices.Chunk([]byte(number), 2)), []byte(" ")))
}

// remembered are the traces that are in the program's memory.
func remembered(t *testing.T, b *xdrive.Borne, traces []string) []string {
	t.Helper()
	var found []string
	memory(t, b.PID(), func(part []byte) {
		for _, trace := range traces {
			if bytes.Contains(part, []byte(trace)) && !slices.Contains(found, trace) {
				found = append(found, trace)
			}
		}
	})
	return found
}
