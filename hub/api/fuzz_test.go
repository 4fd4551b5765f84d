package api_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/kiosk/link"
)

// FuzzReport reads whatever a borne may send as a report. It must not panic,
// and what is taken must be within bounds and the same when told again.
func FuzzReport(f *testing.F) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	b := &borne{run: []byte("12345678")}
	good := b.report(now)
	good.Faults = []link.Fault{{Fault: link.FaultHot, Since: 1}}
	for _, e := range encodings {
		data, err := e.marshal(good)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte(`{"n":{"2026-11-22":{"visit":1e9}}}`))
	f.Add([]byte{0xbf, 0x61, 'a', 0x01, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, unmarshal := range map[string]func([]byte, any) error{"cbor": api.UnmarshalCBOR, "json": api.UnmarshalJSON} {
			var r link.Report
			if err := unmarshal(data, &r); err != nil {
				continue
			}
			if api.CheckReport(&r, now) != nil {
				continue
			}
			if len(r.Run) != 8 || r.Seq == 0 || len(r.Devices) > 32 || time.UnixMilli(r.At).Sub(now).Abs() > link.MaxSkew {
				t.Fatalf("%s took %+v", name, r)
			}
			for day, keys := range r.Counts {
				if _, err := time.Parse(time.DateOnly, day); err != nil {
					t.Fatalf("%s took the day %q", name, day)
				}
				for key, n := range keys {
					if n < 0 || n >= 1e9 || len(key) == 0 || len(key) > 80 {
						t.Fatalf("%s took %q: %d", name, key, n)
					}
				}
			}
			if _, err := json.Marshal(r); err != nil {
				t.Fatal(err)
			}
			again, err := link.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			var same link.Report
			if err := api.UnmarshalCBOR(again, &same); err != nil || !sameReport(r, same) {
				t.Fatalf("%s: %+v told again is %+v, %v", name, r, same, err)
			}
		}
	})
}

// sameReport takes a list that isn't there for an empty one.
func sameReport(a, b link.Report) bool {
	for _, r := range []*link.Report{&a, &b} {
		if len(r.Devices) == 0 {
			r.Devices = nil
		}
		if len(r.Faults) == 0 {
			r.Faults = nil
		}
		for day, keys := range r.Counts {
			if len(keys) == 0 {
				r.Counts[day] = nil
			}
		}
		if len(r.Counts) == 0 {
			r.Counts = nil
		}
	}
	return reflect.DeepEqual(a, b)
}
