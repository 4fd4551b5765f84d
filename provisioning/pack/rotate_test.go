package pack_test

import (
	"strings"
	"testing"
	"time"

	"parvis/provisioning/pack"
)

// A root and the publisher's key are lost, one after the other, while a borne is
// switched off. It follows; the keys that were lost count no more.
func TestKeysAreLost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	oldPublisher, lost := h.publisher, h.roots[2]

	other := h.replacement(lost)
	if err := h.rotate(h.roots[:2], other); err != nil {
		t.Fatal(err)
	}
	if err := h.rotate([]pack.Key{h.roots[0], other.New}, h.replacement(h.publisher)); err != nil {
		t.Fatal(err)
	}
	if err := h.rotate([]pack.Key{h.roots[0], lost}, h.replacement(h.publisher)); err == nil {
		t.Error("a key that was replaced still replaces others")
	}
	h.publish("v2", two())
	b.mustUpdate("v2")
	if !b.has("v2", two()) || h.current("root") != "/pack/3.root.json" {
		t.Errorf("after two changes: %s", h.current("root"))
	}
	good := h.snapshot()
	h.publish("v3", one())
	h.forge("targets", oldPublisher)
	wantError(t, b.update("v3"), pack.ErrUntrusted)
	h.files = good
	h.publish("v3", one())
	h.renew() // newer than what the borne has seen of the forgery
	b.mustUpdate("v3")
	newcomer := newBorne(t, h) // follows from the first root on
	newcomer.mustUpdate("v2")
}

// Fewer roots than the threshold change nothing: for the publisher, who is told,
// and for a borne, whatever somebody signs.
func TestThreshold(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	before := h.snapshot()
	for name, signers := range map[string][]pack.Key{
		"one":            {h.roots[0]},
		"one, twice":     {h.roots[0], h.roots[0]},
		"none":           nil,
		"other keys":     {h.publisher, h.online, mustKey(t)},
		"one and others": {h.roots[0], h.publisher},
	} {
		if err := h.rotate(signers, h.replacement(h.publisher)); err == nil || !strings.Contains(err.Error(), "2 qu’il faut") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(before) != len(h.files) {
		t.Error("something was changed")
	}

	// Who has one root makes a root of his own: its keys, signed by it.
	for name, signers := range map[string][]pack.Key{"a stolen root": {h.roots[0], mustKey(t), mustKey(t)}, "no root": {mustKey(t), mustKey(t), mustKey(t)}} {
		thief := newRepository(t)
		made, err := pack.NewRepository(signers, 1, thief.publisher, thief.online, h.now)
		if err != nil {
			t.Fatal(err)
		}
		if err := made.Rotate(signers, nil, h.now); err != nil { // its second version
			t.Fatal(err)
		}
		h.files["/pack/2.root.json"] = made.Changed()["2.root.json"]
		if err := b.update("v1"); err == nil {
			t.Errorf("%s: taken", name)
		} else {
			wantError(t, err, pack.ErrUntrusted)
		}
		delete(h.files, "/pack/2.root.json")
		b.mustUpdate("v1")
	}

	// A root that leaves one out, or comes twice, is none either.
	if err := h.rotate(h.roots[:2]); err != nil {
		t.Fatal(err)
	}
	if err := h.rotate(h.roots[1:]); err != nil {
		t.Fatal(err)
	}
	good := h.snapshot()
	h.files["/pack/2.root.json"] = good["/pack/3.root.json"]
	wantError(t, b.update("v1"), pack.ErrUntrusted)
	h.files["/pack/2.root.json"] = good["/pack/1.root.json"]
	wantError(t, b.update("v1"), pack.ErrUntrusted)
	h.files = good
	b.mustUpdate("v1")
}

// A thief who has the hub's key can only freeze bornes, by numbers that are far
// ahead; a new key of the hub ends that.
func TestHubKeyIsStolen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	good := h.snapshot()
	h.resign("timestamp", func(data string) string { // its own version comes last
		return data[:strings.LastIndex(data, `"version":`)] + `"version":9999999999}`
	})
	b.mustUpdate("v1") // it can't know
	h.files = good
	h.publish("v2", two())
	wantError(t, b.update("v2"), pack.ErrUntrusted)
	if !b.has("v1", one()) {
		t.Error("v1 is no longer what it was")
	}
	if err := h.rotate(h.roots[:2], h.replacement(h.online)); err != nil {
		t.Fatal(err)
	}
	b.mustUpdate("v2")
}

// Without new keys a rotation gives the root another stretch of time.
func TestRootIsProlonged(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.now = h.now.AddDate(4, 0, 0)
	if err := h.rotate(h.roots[1:]); err != nil {
		t.Fatal(err)
	}
	if _, _, root := h.load().Ends(); !root.Equal(noon.AddDate(9, 0, 0)) {
		t.Errorf("until %v", root)
	}
	h.now = h.now.AddDate(4, 0, 0)
	h.publish("v1", one())
	newBorne(t, h).mustUpdate("v1")
}

// The newest versions stay signed, and no more.
func TestOldVersionsEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, version := range strings.Split("abcdefghijklm", "") {
		h.publish(version, one())
	}
	all := h.load().Packs()
	if len(all) != pack.Kept || all[0].Version != "m" || all[pack.Kept-1].Version != "d" || all[0].Files != 5 || all[0].Size == 0 || !all[0].Made.Equal(h.now) {
		t.Errorf("%+v", all)
	}
	b := newBorne(t, h)
	b.mustUpdate("d")
	wantError(t, b.update("c"), pack.ErrUnknown)
	m, err := pack.Build(one(), "m", h.now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.load().Add(m, []byte("x"), h.publisher, h.now)
	wantError(t, err, pack.ErrExists)
	_, err = h.load().Add(&pack.Manifest{Version: "n", Made: h.now}, []byte("x"), h.roots[0], h.now)
	wantError(t, err, pack.ErrWrongKey)
}

// What the hub keeps is not built upon when somebody has changed it.
func TestVerify(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.publish("v1", one())
	r.forge("targets", mustKey(t))
	loaded, err := pack.LoadRepository(func(name string) ([]byte, error) { return r.files["/pack/"+name], nil })
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, loaded.Verify(), pack.ErrUntrusted)
}
