// Package pack carries what bornes show as signed content: a folder becomes a
// manifest and files named by their hash, under the roles of The Update
// Framework. The publisher signs, the hub hands out, and the borne takes
// nothing that is altered, older, out of date or unfinished.
package pack

import (
	"context"
	"errors"
	"io"
	"regexp"
)

// Fetch opens a file of the hub from one byte on, as link.Client.File does:
// path is "/pack/…" or "/files/…", at is where body begins, size that of the
// whole file, below 0 where it isn't known. An error that is a *link.Problem
// with status 404 says that there is no such file.
type Fetch func(ctx context.Context, path string, from int64) (body io.ReadCloser, at, size int64, err error)

// Why a pack is not taken, beside what keeps the network or the disk from
// working. The pack in use stays in use.
var (
	// ErrUntrusted is for what is altered, mixed, older than what the borne has
	// seen, endless, or signed by a key that doesn't count.
	ErrUntrusted = errors.New("contenus refusés")
	// ErrExpired is for what was signed too long ago, or a clock that is ahead.
	ErrExpired = errors.New("contenus périmés")
	// ErrUnknown is for a version that the publisher has not signed, or no
	// longer, and for files that the hub no longer has.
	ErrUnknown = errors.New("contenus introuvables")
	// ErrCheck is for a pack that is as it was signed, and unfit all the same.
	ErrCheck = errors.New("contenus inutilisables")
	// ErrFull says that there is no room for the pack. Nothing of it is left.
	ErrFull = errors.New("disque plein")
	// ErrBusy says that a pack is just being brought.
	ErrBusy = errors.New("un lot de contenus est déjà en train d’arriver")
	// ErrNoRoot says that the borne has never asked the hub for packs, and so
	// doesn't know whose signatures count.
	ErrNoRoot = errors.New("cette borne ne connaît pas encore les clés de vos contenus : reliez-la une fois au hub")
)

// What a pack may be. A manifest that goes over it is refused by publisher and
// borne alike.
const (
	MaxFile  = 256 << 20 // bytes
	maxTotal = 1 << 30   // bytes
	maxFiles = 20_000

	maxManifest  = 4 << 20 // bytes
	maxRoot      = 256 << 10
	maxTimestamp = 16 << 10
	maxSnapshot  = 64 << 10
	maxTargets   = 1 << 20
)

// versions are what a version may be called: a folder on every system.
var versions = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)

// ValidVersion reports whether a version may be called so. "current" is the
// name of a link beside the packs.
func ValidVersion(version string) bool {
	return versions.MatchString(version) && version != "current"
}

// target is the name of a version's manifest among the signed targets.
func target(version string) string { return "packs/" + version + ".json" }
