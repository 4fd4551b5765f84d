package escpos

import (
	"strings"
	"testing"
)

func TestModels(t *testing.T) {
	names := Models()
	if got := strings.Join(names, " "); got != "custom-vkp80 epson-tm-t20 epson-tm-t88 generique star-escpos" {
		t.Errorf("models %s", got)
	}
	for _, name := range names {
		if _, err := LoadModel(name); err != nil {
			t.Error(err)
		}
	}
}

func TestUnknownModel(t *testing.T) {
	for _, name := range []string{"epson", "", "../model", "Epson-TM-T88"} {
		_, err := LoadModel(name)
		if err == nil || !strings.Contains(err.Error(), "« "+name+" »") || !strings.Contains(err.Error(), "epson-tm-t88") {
			t.Errorf("%q: error = %v, want one that names it and the models there are", name, err)
		}
	}
}

const plainModel = `name = "Essai"
dots = 576
columns = 48
code_page = "cp1252"
status = "epson"
cut = "partial"
`

func TestModelFileDefaults(t *testing.T) {
	m, err := parseModel(plainModel)
	if err != nil {
		t.Fatal(err)
	}
	if m.UnitsPerDot != 1 || m.Piece != 256 || m.presents() {
		t.Errorf("model %+v", m)
	}
}

func TestModelFileRefuses(t *testing.T) {
	const presenter = "[presenter]\nsteps = 12\nwait = \"30s\"\nthen = \"retract\"\n"
	custom := strings.NewReplacer("epson", "custom", "partial", "full").Replace(plainModel)
	if _, err := parseModel(custom + presenter); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, want string }{
		{plainModel + "speed = 3\n", "speed"},
		{plainModel + presenter, "presenter"},
		{custom + "auto_status = true\n", "auto_status"},
		{custom + strings.Replace(presenter, "30s", "30ms", 1), "presenter.wait"},
		{custom + strings.Replace(presenter, "retract", "burn", 1), "presenter.then"},
		{custom + strings.Replace(presenter, "12", "300", 1), "steps"},
		{custom + strings.Replace(presenter, "steps = 12\n", "", 1), "presenter.steps"},
		{strings.Replace(custom, "full", "partial", 1) + presenter, "full cut"},
		{strings.Replace(plainModel, "576", "577", 1), "dots"},
		{strings.Replace(plainModel, "48", "80", 1), "columns"},
		{strings.Replace(plainModel, "cp1252", "cp932", 1), "code_page"},
		{strings.Replace(plainModel, `"epson"`, `"star"`, 1), "status"},
		{strings.Replace(plainModel, "partial", "half", 1), "cut"},
		{plainModel + "units_per_dot = 9\n", "units_per_dot"},
		{plainModel + "piece = 1\n", "piece"},
		{"dots = ", "dots"},
		{"", "name"},
	} {
		if _, err := parseModel(tt.file); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error = %v, want one about %s, of\n%s", err, tt.want, tt.file)
		}
	}
}

func FuzzModel(f *testing.F) {
	f.Add(plainModel)
	for _, name := range Models() {
		b, err := modelFiles.ReadFile("models/" + name + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, file string) {
		m, err := parseModel(file)
		if err != nil {
			return
		}
		if _, err := NewEncoder(m).Encode(everything); err != nil {
			t.Errorf("%v, with\n%s", err, file)
		}
	})
}
