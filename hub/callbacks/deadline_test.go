package callbacks_test

import (
	"strings"
	"testing"
	"time"

	"parvis/hub/callbacks"
	"parvis/hub/profiles"
	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

// at reads a time on the wall of a mairie.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", text, hours.Paris)
	must(t, err)
	return when
}

// spans reads "2026-11-24 14:00/17:00, any".
func spans(t testing.TB, text string) []store.Span {
	t.Helper()
	var all []store.Span
	for word := range strings.SplitSeq(text, ", ") {
		if word == "any" || word == "" {
			all = append(all, store.Span{})
			continue
		}
		start, end, _ := strings.Cut(word, "/")
		all = append(all, store.Span{Start: at(t, start), End: at(t, start[:11]+end)})
	}
	return all
}

func schedule(t testing.TB, text string) *hours.Schedule {
	t.Helper()
	s, err := hours.Parse(text, hours.AlsaceMoselle)
	must(t, err)
	return s
}

func TestFirstDeadline(t *testing.T) {
	t.Parallel()
	const office = "Mo-Fr 09:00-12:00,14:00-17:00; PH off"
	tests := []struct {
		name, hours, made, came, slots, want string
	}{
		{"eight hours in office", office, "2026-11-23 10:00", "2026-11-23 10:00", "any", "2026-11-24 12:00"},
		{"before they open", office, "2026-11-23 07:00", "2026-11-23 07:00", "any", "2026-11-24 11:00"},
		{"at noon", office, "2026-11-23 12:30", "2026-11-23 12:30", "any", "2026-11-24 16:00"},
		{"over a weekend", office, "2026-11-20 16:00", "2026-11-20 16:00", "any", "2026-11-24 10:00"},
		{"on a Sunday", office, "2026-11-22 15:00", "2026-11-22 15:00", "any", "2026-11-24 11:00"},
		{"over a holiday", office, "2026-11-10 16:00", "2026-11-10 16:00", "any", "2026-11-13 10:00"},
		{"over the holiday of a region", office, "2026-12-24 16:00", "2026-12-24 16:00", "any", "2026-12-29 10:00"}, // 25 and 26 December
		{"over the night that has an hour more", office, "2026-10-23 16:00", "2026-10-23 16:00", "any", "2026-10-27 10:00"},
		{"two mornings a week", "Tu,Th 09:00-11:00", "2026-11-23 10:00", "2026-11-23 10:00", "any", "2026-12-03 11:00"},
		{"on Saturdays too", "Mo-Sa 09:00-13:00", "2026-11-20 12:00", "2026-11-20 12:00", "any", "2026-11-23 12:00"},
		{"nobody there ever", "off", "2026-11-23 10:00", "2026-11-23 10:00", "any", "2026-11-24 12:00"},
		{"one slot", office, "2026-11-23 10:00", "2026-11-23 10:00", "2026-11-26 14:00/17:00", "2026-11-26 17:00"},
		{"the earliest of three", office, "2026-11-23 10:00", "2026-11-23 10:00", "2026-11-26 14:00/17:00, 2026-11-24 09:00/12:00, any", "2026-11-24 12:00"},
		{"the line was down", office, "2026-11-23 10:00", "2026-11-25 10:00", "2026-11-24 09:00/12:00, 2026-11-26 14:00/17:00", "2026-11-26 17:00"},
		{"the line was down for too long", office, "2026-11-23 10:00", "2026-11-27 10:00", "2026-11-26 14:00/17:00, 2026-11-24 09:00/12:00", "2026-11-24 12:00"},
		{"any time, and the line was down", office, "2026-11-23 10:00", "2026-11-27 10:00", "any", "2026-11-24 12:00"},
		{"the borne's clock was years behind", office, "2015-01-01 10:00", "2026-11-23 10:00", "any", "2026-11-24 12:00"},
		{"the borne's clock was ahead", office, "2026-12-01 10:00", "2026-11-23 10:00", "any", "2026-11-24 12:00"},
		{"no slots: by text message, or no label", office, "2026-11-23 10:00", "2026-11-23 10:00", "", "2026-11-24 12:00"},
	}
	for _, tt := range tests {
		c := store.Callback{Created: at(t, tt.made), Received: at(t, tt.came), Slots: spans(t, tt.slots)}
		got := callbacks.FirstDeadline(schedule(t, tt.hours), c, 8*time.Hour)
		if want := at(t, tt.want); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", tt.name, got, want)
		}
	}
}

func TestNextTry(t *testing.T) {
	t.Parallel()
	const office = "Mo-Fr 09:00-12:00,14:00-17:00; PH off"
	tests := []struct {
		name, hours, tried, slots, want string
	}{
		{"in the afternoon after a morning", office, "2026-11-23 10:00", "any", "2026-11-23 14:00/17:00"},
		{"the next morning after an afternoon", office, "2026-11-23 15:00", "any", "2026-11-24 09:00/12:00"},
		{"over a weekend", office, "2026-11-20 15:00", "any", "2026-11-23 09:00/12:00"},
		{"over a holiday", office, "2026-11-10 15:00", "any", "2026-11-12 09:00/12:00"},
		{"in the resident's next slot", office, "2026-11-23 10:00", "2026-11-23 09:00/12:00, 2026-11-26 14:00/17:00", "2026-11-26 14:00/17:00"},
		{"where slot and hours meet", office, "2026-11-23 10:00", "2026-11-24 08:00/11:00", "2026-11-24 09:00/11:00"},
		{"not in the slot it was tried in", office, "2026-11-24 10:00", "2026-11-24 09:00/12:00", "2026-11-24 14:00/17:00"},
		{"when all slots are over", office, "2026-11-27 10:00", "2026-11-24 09:00/12:00", "2026-11-27 14:00/17:00"},
		{"mornings only", "Mo-Fr 09:00-12:00", "2026-11-23 10:00", "any", "2026-11-24 09:00/12:00"},
		{"nobody there ever", "off", "2026-11-23 10:00", "any", "2026-11-23 14:00/17:00"},
		{"the afternoon is nearly over", office, "2026-11-23 16:45", "any", "2026-11-24 09:00/12:00"},
	}
	for _, tt := range tests {
		got := callbacks.NextTry(schedule(t, tt.hours), spans(t, tt.slots), at(t, tt.tried))
		want := spans(t, tt.want)[0]
		if !got.Start.Equal(want.Start) || !got.End.Equal(want.End) {
			t.Errorf("%s: %v to %v, want %v to %v", tt.name, got.Start, got.End, want.Start, want.End)
		}
	}
}

// The hours are those of the profile that the borne should have.
func TestHoursOfTheSite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		layers := profiles.New(profiles.Options{Store: h.store, Now: h.clock.Now})
		_, err := layers.Save(ctx, profiles.Change{Layer: profiles.Layer{Scope: store.SiteProfile, Object: "meinau"},
			Text: "[site]\nmediateurs = \"Tu,Th 09:00-11:00\"\n", By: "Anne", Why: "essai"})
		must(t, err)
		for borne, want := range map[string]string{"MN-01": "2026-11-24 12:00", "ME-01": "2026-12-03 11:00"} {
			if got := h.item(h.takeAt(borne, h.request())).Deadline; !got.Equal(at(t, want)) {
				t.Errorf("%s: %v, want %s", borne, got, want)
			}
		}
		must(t, h.SetSettings(ctx, callbacks.Settings{Hours: 2, Tries: 3, Months: 12, Flood: 10}))
		if got := h.item(h.take(h.request())).Deadline; !got.Equal(at(t, "2026-11-23 12:00")) {
			t.Errorf("within two hours: %v", got)
		}
		r := h.request()
		r.Slots = []callback.Slot{{Start: at(t, "2026-11-25 14:00"), End: at(t, "2026-11-25 17:00")}}
		item := h.item(h.take(r))
		if !item.Deadline.Equal(r.Slots[0].End) || !item.Due.Equal(item.Deadline) || item.Late(monday) || !item.Late(monday.AddDate(0, 0, 3)) {
			t.Errorf("a slot: %+v", item)
		}
	})
}
