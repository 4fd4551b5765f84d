package pack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// How long signatures count. The hub renews the timestamp by itself, long
// before; the others are for people to renew.
const (
	rootYears     = 5
	targetsYears  = 2
	snapshotValid = 90 * 24 * time.Hour
	// TimestampValid is how long a borne takes packs from a hub, or somebody
	// who plays the hub, that has nothing new to say.
	TimestampValid = 7 * 24 * time.Hour
	// StickValid is the same for a stick.
	StickValid = 30 * 24 * time.Hour
)

// Kept is how many versions stay signed: bornes may be given any of them.
const Kept = 10

// Repository is the signed metadata of a hub's packs. Whatever changes it ends
// with Sign; Changed then has the files to keep.
type Repository struct {
	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
	changed   map[string][]byte
}

// Errors of the publisher's side.
var (
	ErrExists     = errors.New("cette version est déjà publiée")
	ErrWrongKey   = errors.New("cette clé ne signe pas ces contenus")
	ErrFewKeys    = errors.New("il manque des clés de racine")
	ErrUnknownKey = errors.New("aucune clé de ce numéro")
)

// NewRepository makes the first metadata, of no packs. So many of the roots as
// threshold says must sign what changes the keys from then on.
func NewRepository(roots []Key, threshold int, publisher, online Key, now time.Time) (*Repository, error) {
	if threshold < 1 || threshold > len(roots) {
		return nil, fmt.Errorf("%w : %d pour en exiger %d", ErrFewKeys, len(roots), threshold)
	}
	r := &Repository{root: metadata.Root(now.UTC()), targets: metadata.Targets(now.UTC()), changed: map[string][]byte{}}
	r.root.Signed.Roles[metadata.ROOT].Threshold = threshold
	for role, keys := range map[string][]Key{metadata.ROOT: roots, metadata.TARGETS: {publisher},
		metadata.SNAPSHOT: {online}, metadata.TIMESTAMP: {online}} {
		for _, k := range keys {
			if err := r.root.Signed.AddKey(k.public(), role); err != nil {
				return nil, err
			}
		}
	}
	r.root.Signed.Version, r.targets.Signed.Version = 0, 0 // signing makes the first
	if err := r.signRoot(roots, now); err != nil {
		return nil, err
	}
	return r, r.signTargets(publisher, now)
}

// LoadRepository reads metadata as Changed has named it. Errors: get's.
func LoadRepository(get func(name string) ([]byte, error)) (*Repository, error) {
	r := &Repository{root: new(metadata.Metadata[metadata.RootType]), targets: new(metadata.Metadata[metadata.TargetsType]),
		snapshot: new(metadata.Metadata[metadata.SnapshotType]), timestamp: new(metadata.Metadata[metadata.TimestampType]), changed: map[string][]byte{}}
	if err := read(get, rootFile, r.root); err != nil {
		return nil, err
	}
	if err := read(get, timestampFile, r.timestamp); err != nil {
		return nil, err
	}
	meta := r.timestamp.Signed.Meta[snapshotFile]
	if meta == nil {
		return nil, fmt.Errorf("%s : abîmé", timestampFile)
	}
	if err := read(get, fmt.Sprintf("%d.%s", meta.Version, snapshotFile), r.snapshot); err != nil {
		return nil, err
	}
	if meta = r.snapshot.Signed.Meta[targetsFile]; meta == nil {
		return nil, fmt.Errorf("%s : abîmé", snapshotFile)
	}
	return r, read(get, fmt.Sprintf("%d.%s", meta.Version, targetsFile), r.targets)
}

func read[T metadata.Roles](get func(string) ([]byte, error), name string, m *metadata.Metadata[T]) error {
	data, err := get(name)
	if err == nil {
		_, err = m.FromBytes(data)
	}
	if err != nil {
		return fmt.Errorf("%s : %w", name, err)
	}
	return nil
}

// Info is one version that is signed.
type Info struct {
	Version  string    `json:"-"`
	Manifest string    `json:"-"`     // its SHA-256, in hexadecimal
	Made     time.Time `json:"made"`  // when it was published
	Files    int       `json:"files"` // how many
	Size     int64     `json:"size"`  // of the files together, in bytes
}

// Packs lists the versions that are signed, the newest first.
func (r *Repository) Packs() []Info { return infos(&r.targets.Signed) }

func infos(targets *metadata.TargetsType) []Info {
	var all []Info
	for name, t := range targets.Targets {
		version, ok := strings.CutPrefix(strings.TrimSuffix(name, ".json"), "packs/")
		if !ok || t == nil || !ValidVersion(version) {
			continue
		}
		var info Info
		if t.Custom == nil || json.Unmarshal(*t.Custom, &info) != nil {
			continue
		}
		info.Version, info.Manifest = version, hex.EncodeToString(t.Hashes["sha256"])
		all = append(all, info)
	}
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(b.Made.Compare(a.Made), strings.Compare(b.Version, a.Version))
	})
	return all
}

// Add signs a version; list is its manifest as it is kept. The oldest over Kept
// are signed no longer: they are returned. Errors: ErrExists, ErrWrongKey.
func (r *Repository) Add(m *Manifest, list []byte, publisher Key, now time.Time) (dropped []Info, err error) {
	if r.targets.Signed.Targets[target(m.Version)] != nil {
		return nil, fmt.Errorf("%s : %w. Un nom ne sert qu’une fois", m.Version, ErrExists)
	}
	custom, err := json.Marshal(Info{Made: m.Made, Files: len(m.Files), Size: m.Size()})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(list)
	r.targets.Signed.Targets[target(m.Version)] = &metadata.TargetFiles{Length: int64(len(list)),
		Hashes: metadata.Hashes{"sha256": sum[:]}, Custom: (*json.RawMessage)(&custom), Path: target(m.Version)}
	all := r.Packs()
	for _, old := range all[min(Kept, len(all)):] {
		delete(r.targets.Signed.Targets, target(old.Version))
		dropped = append(dropped, old)
	}
	return dropped, r.signTargets(publisher, now)
}

// Verify checks that what is signed was signed by who may: nobody adds to a
// list that somebody else has changed. Dates are not looked at.
func (r *Repository) Verify() error {
	err := r.root.VerifyDelegate(metadata.ROOT, r.root)
	if err == nil {
		err = r.root.VerifyDelegate(metadata.TARGETS, r.targets)
	}
	if err != nil {
		return fmt.Errorf("%w : les signatures gardées par le hub ont été altérées : %w", ErrUntrusted, err)
	}
	return nil
}

func (r *Repository) signTargets(publisher Key, now time.Time) error {
	if !slices.Contains(r.root.Signed.Roles[metadata.TARGETS].KeyIDs, publisher.id()) {
		return fmt.Errorf("%w : %s n’est pas la clé de publication en vigueur (%s)", ErrWrongKey,
			publisher.Number(), number(r.root.Signed.Roles[metadata.TARGETS].KeyIDs[0]))
	}
	r.targets.Signed.Version = next(r.targets.Signed.Version, now)
	r.targets.Signed.Expires = now.UTC().Truncate(time.Second).AddDate(targetsYears, 0, 0)
	r.targets.ClearSignatures()
	if err := sign(r.targets, publisher); err != nil {
		return err
	}
	return put(r, fmt.Sprintf("%d.%s", r.targets.Signed.Version, targetsFile), r.targets, maxTargets)
}

// Sign has the hub's key sign what is new, for a stretch of time from now on.
// Errors: ErrWrongKey.
func (r *Repository) Sign(online Key, now time.Time, valid time.Duration) error {
	if !slices.Contains(r.root.Signed.Roles[metadata.TIMESTAMP].KeyIDs, online.id()) {
		return fmt.Errorf("%w : %s n’est pas la clé du hub en vigueur", ErrWrongKey, online.Number())
	}
	now = now.UTC().Truncate(time.Second)
	if err := r.signSnapshot(online, now, valid); err != nil {
		return err
	}
	var before int64
	if r.timestamp != nil {
		before = r.timestamp.Signed.Version
	}
	r.timestamp = metadata.Timestamp(now.Add(valid))
	r.timestamp.Signed.Version = next(before, now)
	r.timestamp.Signed.Meta[snapshotFile] = metaOf(r.snapshot.Signed.Version, r.changed[fmt.Sprintf("%d.%s", r.snapshot.Signed.Version, snapshotFile)])
	if err := sign(r.timestamp, online); err != nil {
		return err
	}
	return put(r, timestampFile, r.timestamp, maxTimestamp)
}

// signSnapshot signs a snapshot each time: its hash is in the timestamp, and
// only what was written just now is at hand to be hashed.
func (r *Repository) signSnapshot(online Key, now time.Time, valid time.Duration) error {
	version, targets := next(0, now), new(metadata.MetaFiles)
	if r.snapshot != nil {
		version = next(r.snapshot.Signed.Version, now)
		targets = r.snapshot.Signed.Meta[targetsFile]
	}
	if data := r.changed[fmt.Sprintf("%d.%s", r.targets.Signed.Version, targetsFile)]; data != nil {
		targets = metaOf(r.targets.Signed.Version, data)
	}
	r.snapshot = metadata.Snapshot(now.Add(max(valid, snapshotValid)))
	r.snapshot.Signed.Version = version
	r.snapshot.Signed.Meta[targetsFile] = targets
	if err := sign(r.snapshot, online); err != nil {
		return err
	}
	return put(r, fmt.Sprintf("%d.%s", version, snapshotFile), r.snapshot, maxSnapshot)
}

// next is the version that follows another: the seconds since 1970, so that a
// hub whose database was taken back to last week's is believed again as soon as
// it signs. Roots are counted one by one.
func next(version int64, now time.Time) int64 { return max(version+1, now.Unix()) }

func metaOf(version int64, data []byte) *metadata.MetaFiles {
	sum := sha256.Sum256(data)
	return &metadata.MetaFiles{Version: version, Length: int64(len(data)), Hashes: metadata.Hashes{"sha256": sum[:]}}
}

func put[T metadata.Roles](r *Repository, name string, m *metadata.Metadata[T], most int) error {
	data, err := m.ToBytes(false)
	if err == nil && len(data) > most {
		err = fmt.Errorf("plus de %d octets", most)
	}
	if err != nil {
		return fmt.Errorf("%s : %w", name, err)
	}
	r.changed[name] = data
	return nil
}

// Changed has the metadata files that were made since the repository was
// loaded, by their name at /pack/. All are kept or none; root.json is the newest
// root once more.
func (r *Repository) Changed() map[string][]byte { return r.changed }

// Current names the files that a borne may ask for now, but for the roots.
func (r *Repository) Current() []string {
	return []string{timestampFile, fmt.Sprintf("%d.%s", r.snapshot.Signed.Version, snapshotFile),
		fmt.Sprintf("%d.%s", r.targets.Signed.Version, targetsFile)}
}

// Ends is when what the hub has signed, what the publisher has signed and the
// root end to count.
func (r *Repository) Ends() (timestamp, targets, root time.Time) {
	return r.timestamp.Signed.Expires, r.targets.Signed.Expires, r.root.Signed.Expires
}
