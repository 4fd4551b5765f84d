package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"parvis/cmd/internal/packcheck"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
)

// contentFolder is where the agent keeps the hub's packs, in the borne's folder.
const contentFolder = "content"

// contents are what the borne knows.
type contents struct {
	*packcheck.Content
	files   fs.FS
	version string        // empty for what the program carries
	refused store.Refusal // of the pack that is in place and not shown
}

func loadContents(files fs.FS, version string) (contents, error) {
	c, err := packcheck.Load(files)
	return contents{Content: c, files: files, version: version}, err
}

// loadCurrent loads the pack that the hub has sent, or else the last good one,
// or else what the program carries.
func loadCurrent(data string, carried fs.FS) (contents, error) {
	var refused store.Refusal
	s := shelf.Shelf{Dir: filepath.Join(data, contentFolder)}
	for _, link := range []string{shelf.Current, shelf.Previous} {
		version, err := s.Version(link)
		if err == nil && version == "" {
			break // the hub has sent none
		}
		var c contents
		if err == nil {
			c, err = loadPack(s, version)
		}
		if err == nil {
			c.refused = refused
			return c, nil
		}
		if refused.Version == "" {
			refused = store.Refusal{Version: version, Since: time.Now().UTC(), Why: err.Error()}
		}
	}
	c, err := loadContents(carried, "")
	c.refused = refused
	return c, err
}

func loadPack(s shelf.Shelf, version string) (contents, error) {
	// By its own name: the link may lead elsewhere soon, while parts are still
	// being read.
	c, err := loadContents(os.DirFS(s.Path(version)), version)
	if err != nil {
		return contents{}, fmt.Errorf("lot %s : %w", version, err)
	}
	return c, nil
}

// news tells whether another pack is in place than when the borne started; the
// error is why it would not show it.
func (c contents) news(data string) (any bool, err error) {
	s := shelf.Shelf{Dir: filepath.Join(data, contentFolder)}
	version, err := s.Version(shelf.Current)
	if err != nil || version == c.version || version != "" && version == c.refused.Version {
		return false, err
	}
	if version == "" {
		return true, nil
	}
	_, err = loadPack(s, version)
	return true, err
}

// tellRefused leaves word for the agent of what the borne does not go by,
// although the hub has sent it.
func tellRefused(desk *clerk, key string, r store.Refusal) {
	if r.Version != "" {
		slog.Error("refusé, la borne continue avec ce qu’elle avait", "quoi", key, "version", r.Version, "erreur", r.Why)
	}
	desk.do(key, func(ctx context.Context, st *store.Store) error { return st.SetRefusal(ctx, key, r) })
}

// placesSetting is the version of the pack whose places are in the directory.
const placesSetting = "places.pack"

// importPlaces brings the places of a pack into the directory, once. A file that
// cannot be read changes nothing; a faulty place is left out.
func importPlaces(ctx context.Context, st *store.Store, c contents) error {
	name := packcheck.Places(c.files)
	if name == "" || c.version == "" {
		return nil
	}
	done, err := st.Setting(ctx, placesSetting)
	if err != nil || done == c.version {
		return err
	}
	f, err := c.files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := place.Open(ctx, st.DB(), hours.Metropole)
	if err != nil {
		return err
	}
	report, err := d.Import(ctx, f, name, func(r place.Rejection) { slog.Warn("lieu laissé de côté", "erreur", r) })
	if err != nil {
		return err
	}
	slog.Info("lieux importés", "lot", c.version, "lus", report.Read, "importés", report.Imported,
		"modifiés", report.Updated, "refusés", report.Rejected, "retirés", report.Removed)
	return st.SetSetting(ctx, placesSetting, c.version)
}
