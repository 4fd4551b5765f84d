package content_test

import (
	"io/fs"
	"testing"
	"time"

	"parvis/content"
	"parvis/kiosk/demarche"
)

func TestShippedDemarchesAreSound(t *testing.T) {
	folder, err := fs.Sub(content.FS, "demarches")
	if err != nil {
		t.Fatal(err)
	}
	// The real clock: facts that ship today can't have been checked tomorrow.
	catalogue, problems := demarche.Check(folder, time.Now())
	for _, p := range problems {
		t.Error(p)
	}
	if len(catalogue.Demarches) < 15 {
		t.Errorf("%d démarches are shipped, want at least 15", len(catalogue.Demarches))
	}
	for _, theme := range catalogue.Themes {
		if len(catalogue.ByTheme(theme.ID)) == 0 {
			t.Errorf("theme %s has no démarche to show", theme.ID)
		}
	}
}
