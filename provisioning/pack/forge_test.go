package pack_test

import (
	"encoding/json"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"

	"parvis/provisioning/pack"
)

// forge signs what a role says with another key, and what builds on it with the
// right ones: as somebody would who has some keys and not others.
func (r *repository) forge(role string, key pack.Key) {
	r.t.Helper()
	keys := map[string]pack.Key{"timestamp": r.online, "snapshot": r.online, "targets": r.publisher, role: key}
	r.rewrite(role, keys, func(data string) string { return data })
}

// resign has the right keys sign what a role doesn't say.
func (r *repository) resign(role string, change func(string) string) {
	r.t.Helper()
	r.rewrite(role, map[string]pack.Key{"timestamp": r.online, "snapshot": r.online, "targets": r.publisher}, change)
}

func (r *repository) rewrite(role string, keys map[string]pack.Key, change func(string) string) {
	r.t.Helper()
	paths := map[string]string{}
	for _, name := range []string{"timestamp", "snapshot", "targets"} {
		paths[name] = r.current(name)
	}
	chain := map[string][]string{"targets": {"targets", "snapshot", "timestamp"}, "snapshot": {"snapshot", "timestamp"}, "timestamp": {"timestamp"}}[role]
	for i, name := range chain {
		path := paths[name]
		var file struct {
			Signed json.RawMessage `json:"signed"`
		}
		if err := json.Unmarshal(r.files[path], &file); err != nil {
			r.t.Fatal(err)
		}
		signed := string(file.Signed)
		if i == 0 {
			signed = change(signed)
		} else { // the hash and the length of what was written just now
			below := r.files[paths[chain[i-1]]]
			signed = setMeta(r.t.Fatal, signed, chain[i-1]+".json", below)
		}
		r.files[path] = seal(r.t.Fatal, signed, keys[name])
	}
}

func setMeta(fatal func(...any), signed, name string, data []byte) string {
	var all map[string]any
	d := json.NewDecoder(strings.NewReader(signed))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		fatal(err)
	}
	if meta, ok := all["meta"].(map[string]any)[name].(map[string]any); ok {
		meta["length"] = json.Number(itoa(len(data)))
		meta["hashes"] = map[string]any{"sha256": hash(data)}
	}
	out, err := json.Marshal(all)
	if err != nil {
		fatal(err)
	}
	return string(out)
}

func itoa(n int) string { data, _ := json.Marshal(n); return string(data) }

// seal signs JSON as the specification says: its canonical form.
func seal(fatal func(...any), signed string, key pack.Key) []byte {
	var v any
	d := json.NewDecoder(strings.NewReader(signed))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		fatal(err)
	}
	canonical, err := cjson.EncodeCanonical(v)
	if err != nil {
		fatal(err)
	}
	id, signature := pack.SignBytes(key, canonical)
	out, err := json.Marshal(map[string]any{"signed": v, "signatures": []any{map[string]any{"keyid": id, "sig": signature}}})
	if err != nil {
		fatal(err)
	}
	return out
}
