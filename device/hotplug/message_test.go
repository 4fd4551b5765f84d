package hotplug_test

import (
	"bytes"
	"os"
	"testing"

	"parvis/device/hotplug"
)

// real is what systemd-udevd 252 sends of /dev/null.
func real(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/null.msg")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	edit := func(from int, with ...byte) []byte {
		b := bytes.Clone(real(t))
		copy(b[from:], with)
		return b
	}
	null := hotplug.Event{Action: "change", Subsystem: "mem", DevName: "/dev/null"}
	tests := []struct {
		name string
		msg  []byte
		want hotplug.Event
		ok   bool
	}{
		{"real", real(t), null, true},
		{"more after it", append(real(t), "ACTION=remove\x00"...), null, true},
		{"empty", nil, hotplug.Event{}, false},
		{"header only", real(t)[:40], hotplug.Event{}, false},
		{"half", real(t)[:100], hotplug.Event{}, false},
		{"the kernel's own", []byte("add@/devices/x\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00"), hotplug.Event{}, false},
		{"another magic", edit(8, 0xde, 0xad), hotplug.Event{}, false},
		{"begins in the header", edit(16, 8), hotplug.Event{}, false},
		{"begins beyond the end", edit(16, 0xff, 0xff, 0xff, 0xff), hotplug.Event{}, false},
		{"longer than it is", edit(20, 0xff, 0xff, 0xff, 0xff), hotplug.Event{}, false},
		{"no action", bytes.Replace(real(t), []byte("ACTION="), []byte("REACTION"), 1), hotplug.Event{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := hotplug.Parse(tt.msg)
			if got != tt.want || ok != tt.ok {
				t.Errorf("Parse = %+v, %t; want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(real(f))
	f.Add(real(f)[:40])
	f.Fuzz(func(t *testing.T, msg []byte) {
		e, ok := hotplug.Parse(msg)
		if ok && (e.Action == "" || !bytes.Contains(msg, []byte("ACTION="+e.Action))) {
			t.Errorf("%+v does not stand in the message", e)
		}
		if !ok && e != (hotplug.Event{}) {
			t.Errorf("refused, but gave %+v", e)
		}
	})
}
