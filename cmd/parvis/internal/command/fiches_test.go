package command_test

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"parvis/cmd/parvis/internal/command"
	"parvis/kiosk/fiche"
)

func TestLoadFiches(t *testing.T) {
	folder := fstest.MapFS{
		"F1.xml": {Data: []byte(`<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F1"><dc:title>Passeport</dc:title><dc:date>modified 2026-11-01</dc:date></Publication>`)},
		"F2.xml": {Data: []byte(`<Publication>`)},
	}
	for _, tc := range []struct {
		name   string
		folder fs.FS
		want   int
	}{{"fiches", folder, 1}, {"no folder", fstest.MapFS{}, 0}} {
		t.Run(tc.name, func(t *testing.T) {
			kept := make(chan *fiche.Library, 1)
			stop := command.LoadFiches(t.Context(), tc.folder, func(l *fiche.Library) { kept <- l })
			l := <-kept
			stop()
			if got := l.Search(""); len(got) != tc.want {
				t.Errorf("kept %v", got)
			}
		})
	}
}

// blocked is a folder whose files open only once the test lets them.
type blocked struct {
	fs.FS
	opened, let chan struct{}
}

func (b blocked) Open(name string) (fs.File, error) {
	if name != "." {
		b.opened <- struct{}{}
		<-b.let
	}
	return b.FS.Open(name)
}

// A borne that ends while it reads fiches keeps none and leaves the rest unread.
func TestLoadFichesStopped(t *testing.T) {
	folder := fstest.MapFS{}
	for n := range 300 {
		folder[fmt.Sprintf("F%d.xml", n)] = &fstest.MapFile{Data: []byte("<Publication/>")}
	}
	b := blocked{folder, make(chan struct{}, len(folder)), make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	stop := command.LoadFiches(ctx, b, func(*fiche.Library) { t.Error("kept") })
	<-b.opened
	cancel()
	close(b.let)
	stop()
	if n := len(b.opened); n == len(folder)-1 {
		t.Error("all the files were opened")
	}
}
