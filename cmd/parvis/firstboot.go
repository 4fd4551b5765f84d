package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"parvis/app/journey"
	"parvis/kiosk/store"
	"parvis/provisioning/enrol"
	"parvis/provisioning/profile"
)

// bareProfile is that of a borne that has been given none yet: it waits to be
// enrolled, or for the hub's profile. It fills the display it finds.
func bareProfile(ctx context.Context, st *store.Store) (*profile.Profile, error) {
	prof := profile.Default()
	prof.Site.ID, prof.Site.Name = "borne", "Parvis"
	site, err := st.Setting(ctx, store.HubSite)
	if err != nil {
		return nil, err
	}
	if site != "" {
		prof.Site.Name = site
	}
	prof.Screen.Width, prof.Screen.Height, err = displaySize()
	// What an X server tells of millimetres is mostly made up; panels of bornes
	// have pixels of about 0.3 mm.
	prof.Screen.WidthMM = 0.3 * float32(prof.Screen.Width)
	return prof, err
}

// displaySize is the display's, in pixels.
func displaySize() (width, height int, err error) {
	x, err := xgb.NewConn()
	if err != nil {
		return 0, 0, fmt.Errorf("écran : %w", err)
	}
	defer x.Close()
	s := xproto.Setup(x).DefaultScreen(x)
	return int(s.WidthInPixels), int(s.HeightInPixels), nil
}

// newEnrolment is how the glass asks for the enrolment code: the agent, which
// alone holds the borne's identity, finds what was typed in the store.
func newEnrolment(ctx context.Context, st *store.Store) (*journey.Enrolment, error) {
	hub, err := st.Setting(ctx, store.HubRecipient)
	if err != nil || hub != "" {
		return nil, err
	}
	return &journey.Enrolment{
		Check: func(line string) error {
			if _, err := enrol.ParseInvitation(line); err != nil {
				return errors.New(sentence(err))
			}
			return nil
		},
		Ask:    func(ctx context.Context, line string) error { return askToEnrol(ctx, st, line) },
		Needed: func() bool { return true }, // the application starts anew once it isn't
	}, nil
}

const (
	enrolLook = 300 * time.Millisecond
	enrolMost = 90 * time.Second // the agent gives up after a minute
)

// errNoAgent says that nobody has taken the question.
var errNoAgent = errors.New("l’agent de la borne ne répond pas. Redémarrez la machine, puis réessayez")

func askToEnrol(ctx context.Context, st *store.Store, line string) error {
	if err := errors.Join(st.SetSetting(ctx, store.EnrolAnswer, ""), st.SetSetting(ctx, store.EnrolAsked, line)); err != nil {
		return err
	}
	tick := time.NewTicker(enrolLook)
	defer tick.Stop()
	for late := time.After(enrolMost); ; {
		answer, err := st.Setting(ctx, store.EnrolAnswer)
		switch {
		case err != nil:
			return err
		case answer == store.EnrolDone:
			return nil
		case answer != "":
			return errors.New(sentence(errors.New(answer)))
		}
		select {
		case <-tick.C:
		case <-late:
			_ = st.SetSetting(ctx, store.EnrolAsked, "") // else the agent takes it when it is back
			return errors.New(sentence(errNoAgent))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
