package apt

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"parvis/hub/store"
)

// What a source list names: deb [signed-by=…] https://hub/apt parvis main.
const (
	Suite     = "parvis"
	Component = "main"
)

// How long a Release holds, and how often its date moves on. A borne that takes
// one that somebody has held back notices after validFor.
const (
	validFor   = 7 * 24 * time.Hour
	renewEvery = 24 * time.Hour
)

// architectures are those that every Release names, so that no client finds an
// index missing.
var architectures = []string{"amd64", "arm64"}

// index is the repository as it is at one time, but for the packages.
type index struct {
	date  time.Time
	files map[string][]byte // by path under dists/parvis/: main/binary-amd64/Packages …
}

// indexAt makes the index of what was offered at a time, which is that of a
// change or later. The same rows and date give the same bytes.
func indexAt(rows []store.Software, at, date time.Time) (*index, error) {
	x := &index{date: date.UTC().Truncate(time.Second), files: make(map[string][]byte)}
	archs := slices.Clone(architectures)
	for _, row := range rows {
		if row.Architecture != "all" && !slices.Contains(archs, row.Architecture) {
			archs = append(archs, row.Architecture)
		}
	}
	slices.Sort(archs)
	for _, arch := range archs {
		var text bytes.Buffer
		for _, row := range rows {
			if offered(row, at) && (row.Architecture == arch || row.Architecture == "all") {
				fmt.Fprintf(&text, "%s\nFilename: %s\nSize: %d\nSHA256: %s\n\n", row.Control, poolPath(row), row.Size, row.SHA256)
			}
		}
		folder := Component + "/binary-" + arch + "/"
		x.files[folder+"Packages"] = text.Bytes()
		zipped, err := zip(text.Bytes())
		if err != nil {
			return nil, err
		}
		x.files[folder+"Packages.gz"] = zipped
	}
	return x, nil
}

// zip compresses without name and time.
func zip(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// offered tells whether a package was in the repository at a time.
func offered(p store.Software, at time.Time) bool {
	return !p.Added.After(at) && (p.Removed.IsZero() || p.Removed.After(at))
}

// poolPath is where a package lies: in a folder of its own, so that no two
// contents ever share a path, and without the epoch, as Debian names files.
func poolPath(p store.Software) string {
	version := p.Version
	if _, after, epoch := strings.Cut(version, ":"); epoch {
		version = after
	}
	return fmt.Sprintf("pool/%s/%s_%s_%s.deb", p.SHA256[:8], p.Package, version, p.Architecture)
}

// release is the file that InRelease and Release.gpg sign.
func (x *index) release() []byte {
	var archs, sums []string
	for path, data := range x.files {
		arch, plain := strings.CutSuffix(strings.TrimPrefix(path, Component+"/binary-"), "/Packages")
		if plain {
			archs = append(archs, arch)
		}
		sums = append(sums, fmt.Sprintf(" %s %d %s\n", sumOf(data), len(data), path))
	}
	slices.Sort(archs)
	slices.SortFunc(sums, func(a, b string) int { return cmp.Compare(lastField(a), lastField(b)) })
	const form = "Mon, 02 Jan 2006 15:04:05 UTC"
	return fmt.Appendf(nil, "Origin: Parvis\nLabel: Parvis\nSuite: %s\nCodename: %s\nDate: %s\nValid-Until: %s\n"+
		"Architectures: %s\nComponents: %s\nDescription: Logiciels des bornes Parvis\nAcquire-By-Hash: yes\nSHA256:\n%s",
		Suite, Suite, x.date.Format(form), x.date.Add(validFor).Format(form), strings.Join(archs, " "), Component, strings.Join(sums, ""))
}

func lastField(line string) string {
	fields := strings.Fields(line)
	return fields[len(fields)-1]
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// changes are the times at which the repository has changed, newest first.
func changes(rows []store.Software) []time.Time {
	var times []time.Time
	for _, row := range rows {
		times = append(times, row.Added)
		if !row.Removed.IsZero() {
			times = append(times, row.Removed)
		}
	}
	slices.SortFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	return slices.Compact(times)
}
