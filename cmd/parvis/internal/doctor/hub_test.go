package doctor

import (
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/device"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

func TestHub(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	now := time.Date(2026, time.November, 21, 14, 30, 0, 0, time.UTC)
	look := hub(dir, func() time.Time { return now })
	if found := look(ctx); found != nil {
		t.Errorf("without a database: %+v", found)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v, %v", left, err)
	}
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	set := func(key, value string) {
		t.Helper()
		if err := st.SetSetting(ctx, key, value); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(code, only string, age time.Duration) {
		t.Helper()
		err := st.PutCallback(ctx, store.Sealed{ID: uuid.Must(uuid.NewV7()), Code: code, Created: now.Add(-age), Data: []byte("sealed"), OnlyFor: only})
		if err != nil {
			t.Fatal(err)
		}
	}
	want(t, look(ctx), fineSeverity, "auprès d’aucun hub")
	set(store.HubRecipient, "age1hub")
	want(t, look(ctx), device.Warning, "encore pris aucun rapport")
	set(store.HubContact, now.Add(-time.Minute).Format(time.RFC3339))
	want(t, look(ctx), fineSeverity, "le 21/11/2026 à 15 h 29")
	ask("A001", "age1hub", time.Minute)
	want(t, look(ctx), fineSeverity, "15 h 29")
	for _, far := range []time.Duration{-time.Hour, time.Hour} { // the clock may have been put back
		set(store.HubContact, now.Add(far).Format(time.RFC3339))
		want(t, look(ctx), device.Warning, "aucun rapport depuis le 21/11/2026")
	}
	set(store.HubRefused, link.ProblemRevoked)
	want(t, look(ctx), device.Critical, "refuse cette borne")

	set(store.HubRefused, "")
	set(store.HubContact, now.Format(time.RFC3339))
	ask("A002", "age1former", 48*time.Hour)
	ask("A003", "", time.Hour)
	found := look(ctx)
	if len(found) != 3 {
		t.Fatalf("found %+v", found)
	}
	want(t, found[1:2], device.Warning, "seul le hub d’avant peut ouvrir : 1.")
	want(t, found[2:], device.Warning, "depuis le 21/11/2026 à 14 h 30")
}
