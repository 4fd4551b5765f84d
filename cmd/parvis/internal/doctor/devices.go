package doctor

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"parvis/cmd/parvis/internal/devices"
	"parvis/device"
	"parvis/device/reader"
	"parvis/device/supervise"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

const (
	// fresh is how old the running borne's word about its devices may be: it
	// gives it anew every half minute.
	fresh = time.Minute
	// settled is how long a device gets to say how it is.
	settled = 4 * time.Second
)

// hardware looks at every device of the profile. Where the borne runs it holds
// them, and what it last wrote about them is told; else they are tried here.
func hardware(dir string, prof *profile.Profile) func(context.Context) []Finding {
	return func(ctx context.Context) []Finding {
		set, err := devices.Open(prof, devices.Hands{
			Seen: func(reader.Event) {}, Headset: func(bool) {}, Count: func(string, string, int) {},
		})
		if err != nil {
			return nil // told by the check of the profile
		}
		all, told := toldByBorne(ctx, dir, set)
		if !told {
			if all, err = try(ctx, set); err != nil {
				return because(critical("Corrigez le profil.", "Les appareils du profil ne sont pas utilisables."), err)
			}
		}
		var found []Finding
		for _, l := range set.Loops {
			found = append(found, describe(set.Title(l.Name), all[l.Name]))
		}
		return found
	}
}

// toldByBorne is what the running borne has written, if it has lately.
func toldByBorne(ctx context.Context, dir string, set *devices.Set) (map[string]device.Status, bool) {
	if _, err := os.Stat(filepath.Join(dir, store.FileName)); err != nil {
		return nil, false
	}
	st, err := store.Open(dir)
	if err != nil {
		return nil, false // told by the check of the database
	}
	defer st.Close()
	rows, err := st.Devices(ctx)
	if err != nil {
		return nil, false
	}
	all := map[string]device.Status{}
	for _, d := range rows {
		if age := time.Since(d.Seen); age < fresh && age > -fresh && d.State != device.Unknown {
			all[d.Name] = d.Status
		}
	}
	for _, l := range set.Loops {
		if _, ok := all[l.Name]; !ok {
			return nil, false
		}
	}
	return all, true
}

// try runs the loops of the devices until each has said how it is.
func try(ctx context.Context, set *devices.Set) (map[string]device.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, settled)
	defer cancel()
	changed := make(chan struct{}, 1)
	board, err := supervise.New(supervise.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Changed: func(string, device.Status) {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	}, set.Loops...)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = board.Serve(ctx) // ends with ctx
	}()
	for known := false; !known && ctx.Err() == nil; {
		select {
		case <-changed:
			known = true
			for _, e := range board.All() {
				known = known && e.State != device.Unknown && e.State != device.Starting
			}
		case <-ctx.Done():
		}
	}
	all := map[string]device.Status{}
	for _, e := range board.All() {
		all[e.Name] = e.Status
	}
	cancel()
	<-done
	set.Close()
	return all, nil
}

// describe puts a status into words.
func describe(title string, s device.Status) Finding {
	f := Finding{Device: title, Fault: s.Fault, Cause: s.Cause}
	info := s.Fault.Info()
	switch {
	case s.Fault != device.None:
		f.Severity, f.Seen, f.Do = info.Severity, title+" : "+lowerFirst(info.Title)+".", info.Do
	case s.Ready():
		f.Seen = title + " : prêt."
		if s.Paper == device.PaperFull {
			f.Seen = title + " : prêt, avec du papier."
		}
	default:
		f.Severity, f.Seen = device.Critical, title+" : état inconnu."
		f.Do = "Relancez « parvis doctor » dans une minute. Si cela dure, vérifiez le câble et le modèle dans le profil."
	}
	return f
}
