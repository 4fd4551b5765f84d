package image

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// sector is what a disk writes as a whole or not at all.
const sector = 4096

// mostCached is how much a disk holds back before it writes by itself.
const mostCached = 32 << 20

// disk is a borne's disk with a cache that a power cut empties. It speaks NBD to
// the emulator.
type disk struct {
	size int64

	mu      sync.Mutex
	solid   solid
	cached  map[int64][][]byte // written since the last flush, all that was ever in each sector, oldest first
	bytes   int
	writes  int // so far
	moments []*moments
}

// solid is what a disk has written for good.
type solid struct {
	base  io.ReaderAt // under it; zeros from its end on
	file  *os.File    // only ever grows, so that copies of this may share it
	size  int64
	where map[int64]int64 // where in it each sector lies
}

// newDisk is a disk with what base holds, which nobody changes any more.
func newDisk(t *testing.T, base io.ReaderAt, size int64) *disk {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return &disk{size: size, solid: solid{base: base, file: file, where: map[int64]int64{}}, cached: map[int64][][]byte{}}
}

func (s *solid) store(n int64, data []byte) error {
	if _, err := s.file.WriteAt(data, s.size); err != nil {
		return err
	}
	s.where[n] = s.size
	s.size += sector
	return nil
}

func (s *solid) sectorAt(n int64, buf []byte) error {
	if at, ok := s.where[n]; ok {
		_, err := s.file.ReadAt(buf, at)
		return err
	}
	clear(buf)
	if _, err := s.base.ReadAt(buf, n*sector); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// ReadAt makes it another disk's base: of whole sectors only.
func (s *solid) ReadAt(p []byte, off int64) (int, error) {
	return sector, s.sectorAt(off/sector, p[:sector])
}

// moments are some of the writes that a disk takes, each of those that count as
// likely to be among them as any other, with what the disk held just then.
type moments struct {
	random *rand.Rand
	most   int
	counts func(off int64) bool
	log    func() (age time.Duration, text string) // what the machine has said so far

	passed int
	kept   []*moment
}

// moment is a disk as it was after a write.
type moment struct {
	write  int
	solid  solid
	cached map[int64][][]byte
	age    time.Duration // of the machine, since its power button
	log    string
}

func (k *moments) pass(d *disk) {
	k.passed++
	i := len(k.kept)
	if i == k.most {
		if i = k.random.IntN(k.passed); i >= k.most {
			return
		}
	} else {
		k.kept = append(k.kept, nil)
	}
	now := &moment{write: d.writes, solid: d.solid, cached: maps.Clone(d.cached)}
	now.solid.where = maps.Clone(d.solid.where)
	now.age, now.log = k.log()
	k.kept[i] = now
}

// keep has the disk keep moments from now on.
func (d *disk) keep(k *moments) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moments = append(d.moments, k)
}

// stop has the disk keep no more moments, and tells how many writes it took.
func (d *disk) stop() (writes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moments = nil
	return d.writes
}

// powerCut is the disk that is left of a moment when the power is cut in it. What
// the machine had written but not flushed is there, or not, sector by sector and
// in no order, as on real disks. It tells how many sectors were at stake and how
// many are lost, or older than the machine left them.
func (m *moment) powerCut(t *testing.T, random *rand.Rand) (left *disk, atStake, lost int) {
	t.Helper()
	left = newDisk(t, &m.solid, diskSize)
	for _, n := range slices.Sorted(maps.Keys(m.cached)) {
		versions := m.cached[n]
		atStake++
		which := random.IntN(len(versions) + 1)
		if which < len(versions) {
			lost++
		}
		if which > 0 {
			if err := left.solid.store(n, versions[which-1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return left, atStake, lost
}

// whole is what the disk holds, for others to begin with.
func (d *disk) whole(t *testing.T) *solid {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.settle(); err != nil {
		t.Fatal(err)
	}
	copied := d.solid
	copied.where = maps.Clone(d.solid.where)
	return &copied
}

// sync is a flush: it writes the whole cache.
func (d *disk) sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settle()
}

func (d *disk) settle() error {
	for _, n := range slices.Sorted(maps.Keys(d.cached)) {
		versions := d.cached[n]
		if err := d.solid.store(n, versions[len(versions)-1]); err != nil {
			return err
		}
	}
	clear(d.cached)
	d.bytes = 0
	return nil
}

// sectorAt is what the machine reads there.
func (d *disk) sectorAt(n int64, buf []byte) error {
	if versions := d.cached[n]; len(versions) > 0 {
		copy(buf, versions[len(versions)-1])
		return nil
	}
	return d.solid.sectorAt(n, buf)
}

func (d *disk) read(off int64, p []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	buf := make([]byte, sector)
	for len(p) > 0 {
		n, at := off/sector, off%sector
		if err := d.sectorAt(n, buf); err != nil {
			return err
		}
		done := copy(p, buf[at:])
		p, off = p[done:], off+int64(done)
	}
	return nil
}

func (d *disk) write(off int64, p []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := off; len(p) > 0; {
		n, in := at/sector, at%sector
		buf := make([]byte, sector)
		if in != 0 || len(p) < sector {
			if err := d.sectorAt(n, buf); err != nil {
				return err
			}
		}
		done := copy(buf[in:], p)
		d.cached[n] = append(d.cached[n], buf)
		d.bytes += sector
		p, at = p[done:], at+int64(done)
	}
	d.writes++
	for _, k := range d.moments {
		if k.counts(off) {
			k.pass(d)
		}
	}
	if d.bytes > mostCached {
		return d.settle()
	}
	return nil
}
