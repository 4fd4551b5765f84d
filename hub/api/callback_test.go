package api_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/callbacks"
	"parvis/hub/seal"
	"parvis/hub/store/storetest"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
)

// From a borne's hands into the mediators' queue; and a borne that brings too
// much is asked to wait, and loses nothing.
func TestCallbackIntoQueue(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, fresh(t))
			key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
			if err != nil {
				t.Fatal(err)
			}
			to, err := key.CallbackRecipient(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			recipients, err := callback.ParseRecipients([]string{to})
			if err != nil {
				t.Fatal(err)
			}
			var queue *callbacks.Queue
			h := startHub(t, s, func(o *api.Options) {
				if queue, err = callbacks.New(t.Context(), callbacks.Options{Store: s, Key: key, Now: o.Now, Log: o.Log}); err != nil {
					t.Fatal(err)
				}
				o.Callbacks, o.Recipient = queue, to
			})
			b := h.enrol("MN-01")
			send := func() (callback.Request, error) {
				r := callback.New(h.clock.now())
				r.Topic, r.Phone, r.Lang, r.Site, r.Slots, r.Consent = "logement", "+33612345652", "fr", "mairie", []callback.Slot{{}}, true
				data, err := callback.Seal(r, recipients)
				if err != nil {
					t.Fatal(err)
				}
				_, err = b.PutCallback(t.Context(), r.ID, link.Callback{Code: r.Code, Created: r.Created.UnixMilli(), Data: data})
				return r, err
			}
			for range 10 {
				if _, err := send(); err != nil {
					t.Fatal(err)
				}
			}
			_, err = send()
			var p *link.Problem
			if !errors.As(err, &p) || p.Status != http.StatusTooManyRequests || p.Type != link.ProblemBusy || p.RetryAfter < time.Second {
				t.Fatalf("the eleventh: %v", err)
			}
			page, err := queue.List(t.Context(), callbacks.Filter{View: callbacks.ToTake})
			if err != nil || len(page.Items) != 10 || page.Items[0].Topic != "logement" || page.Items[0].Borne != "MN-01" || len(page.Items[0].Duplicates) != 9 {
				t.Errorf("%+v, %v", page, err)
			}
			h.clock.advance(11 * time.Minute)
			r, err := send()
			if err != nil {
				t.Fatalf("eleven minutes later: %v", err)
			}
			anne := callbacks.Actor{ID: "anne", Name: "Anne"}
			if _, err := queue.Claim(t.Context(), anne, r.ID); err != nil {
				t.Fatal(err)
			}
			if who, err := queue.Look(t.Context(), anne, r.ID); err != nil || who.Phone != r.Phone {
				t.Errorf("opened: %v", err)
			}
		})
	}
}
