package pack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Role says what a key is for.
type Role string

// The roles of keys.
const (
	RoleRoot      Role = "racine"      // changes the keys
	RolePublisher Role = "publication" // signs packs
	RoleOnline    Role = "hub"         // says every day what counts now; the hub's own
)

// KeyInfo is a key that counts.
type KeyInfo struct {
	Role Role
	ID   string
}

// Number is how people tell keys apart.
func (k KeyInfo) Number() string { return number(k.ID) }

// Keys lists the keys that count, and how many roots must sign together.
func (r *Repository) Keys() (keys []KeyInfo, threshold int) {
	for role, name := range map[Role]string{RoleRoot: metadata.ROOT, RolePublisher: metadata.TARGETS, RoleOnline: metadata.TIMESTAMP} {
		for _, id := range r.root.Signed.Roles[name].KeyIDs {
			keys = append(keys, KeyInfo{role, id})
		}
	}
	slices.SortFunc(keys, func(a, b KeyInfo) int {
		return strings.Compare(string(b.Role)+b.ID, string(a.Role)+a.ID)
	})
	return keys, r.root.Signed.Roles[metadata.ROOT].Threshold
}

// Find returns the key of a number. Errors: ErrUnknownKey.
func (r *Repository) Find(number string) (KeyInfo, error) {
	keys, _ := r.Keys()
	for _, k := range keys {
		if k.Number() == number {
			return k, nil
		}
	}
	return KeyInfo{}, fmt.Errorf("%s : %w ; « parvis-hub publish list » les nomme", number, ErrUnknownKey)
}

// Replacement is a new key in the place of one that is lost or stolen.
type Replacement struct {
	Old KeyInfo
	New Key
}

// Rotate makes a new root: with other keys, or the same for another stretch of
// time. Of the signers, as many as the threshold asks for must be roots until
// now, and as many, with the new ones, from now on. A new publisher's key signs
// what the old one has signed. Errors: ErrFewKeys; then nothing has changed.
func (r *Repository) Rotate(signers []Key, replacements []Replacement, now time.Time) error {
	role := r.root.Signed.Roles[metadata.ROOT]
	signers = among(signers, role.KeyIDs)
	if len(signers) < role.Threshold {
		return fmt.Errorf("%w : %d sur les %d qu’il faut", ErrFewKeys, len(signers), role.Threshold)
	}
	remaining := slices.Clone(signers)
	for _, x := range replacements {
		remaining = slices.DeleteFunc(remaining, func(k Key) bool { return k.id() == x.Old.ID })
		if x.Old.Role == RoleRoot {
			remaining = append(remaining, x.New)
		}
	}
	if len(remaining) < role.Threshold {
		return fmt.Errorf("%w : %d sur les %d qu’il faut, une fois les clés remplacées", ErrFewKeys, len(remaining), role.Threshold)
	}
	for _, x := range replacements {
		for _, name := range map[Role][]string{RoleRoot: {metadata.ROOT}, RolePublisher: {metadata.TARGETS},
			RoleOnline: {metadata.SNAPSHOT, metadata.TIMESTAMP}}[x.Old.Role] {
			if err := r.root.Signed.RevokeKey(x.Old.ID, name); err != nil {
				return err
			}
			if err := r.root.Signed.AddKey(x.New.public(), name); err != nil {
				return err
			}
		}
	}
	for _, x := range replacements { // those that go sign too: bornes know them
		if x.Old.Role == RoleRoot {
			signers = append(signers, x.New)
		}
	}
	if err := r.signRoot(signers, now); err != nil {
		return err
	}
	for _, x := range replacements {
		if x.Old.Role == RolePublisher {
			return r.signTargets(x.New, now)
		}
	}
	return nil
}

// among lists the keys whose ID is one of ids, each once.
func among(keys []Key, ids []string) []Key {
	var found []Key
	for _, k := range keys {
		if slices.Contains(ids, k.id()) && !slices.ContainsFunc(found, func(f Key) bool { return f.id() == k.id() }) {
			found = append(found, k)
		}
	}
	return found
}

func (r *Repository) signRoot(signers []Key, now time.Time) error {
	r.root.Signed.Version++
	r.root.Signed.Expires = now.UTC().Truncate(time.Second).AddDate(rootYears, 0, 0)
	r.root.ClearSignatures()
	for _, k := range signers {
		if err := sign(r.root, k); err != nil {
			return err
		}
	}
	if err := put(r, fmt.Sprintf("%d.%s", r.root.Signed.Version, rootFile), r.root, maxRoot); err != nil {
		return err
	}
	r.changed[rootFile] = r.changed[fmt.Sprintf("%d.%s", r.root.Signed.Version, rootFile)]
	return nil
}
