package sim_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device/sim"
)

func newOffice(t *testing.T) *sim.Office {
	t.Helper()
	o, err := sim.StartOffice(t.Context(), t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Errorf("close the printer: %v", err)
		}
	})
	return o
}

func mustOrder(t *testing.T, h sim.Hand, order string) {
	t.Helper()
	if answer, err := h.Do(order); err != nil || answer != "ok" {
		t.Fatalf("%s: %q, %v", order, answer, err)
	}
}

// askOffice sends a request to the printer, and its answer's printer and job
// attributes by name.
func askOffice(t *testing.T, o *sim.Office, op goipp.Op, document string, more ...goipp.Attribute) map[string]string {
	t.Helper()
	m := goipp.NewRequest(goipp.DefaultVersion, op, 1)
	m.Operation.Add(goipp.MakeAttribute("attributes-charset", goipp.TagCharset, goipp.String("utf-8")))
	m.Operation.Add(goipp.MakeAttribute("attributes-natural-language", goipp.TagLanguage, goipp.String("fr")))
	m.Operation.Add(goipp.MakeAttribute("printer-uri", goipp.TagURI, goipp.String(o.URI())))
	for _, a := range more {
		m.Operation.Add(a)
	}
	request, err := m.EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post("http"+strings.TrimPrefix(o.URI(), "ipp"), goipp.ContentType, strings.NewReader(string(request)+document))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer goipp.Message
	if err := answer.Decode(res.Body); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"status": goipp.Status(answer.Code).String()}
	for _, a := range slices.Concat(answer.Printer, answer.Job) {
		got[a.Name] = a.Values.String()
	}
	return got
}

const pdf = "%PDF-1.4\n% one page\n"

// mustPrint hands in a document and returns the attribute of its number.
func mustPrint(t *testing.T, o *sim.Office) goipp.Attribute {
	t.Helper()
	var got map[string]string
	await(t, "a printer that is not busy", func() bool {
		got = askOffice(t, o, goipp.OpPrintJob, pdf, goipp.MakeAttribute("document-format", goipp.TagMimeType, goipp.String("application/pdf")))
		return got["status"] != goipp.StatusErrorBusy.String()
	})
	var id int
	if err := parseInt(got["job-id"], &id); err != nil {
		t.Fatalf("the printer answers %v", got)
	}
	return goipp.MakeAttribute("job-id", goipp.TagInteger, goipp.Integer(id))
}

func parseInt(s string, n *int) error {
	*n = 0
	if s == "" {
		return errors.New("empty")
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return errors.New("not a number")
		}
		*n = *n*10 + int(c-'0')
	}
	return nil
}

// await polls until ok holds.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func printed(t *testing.T, o *sim.Office) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(o.Printed(), "document-*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || !bytes.Equal(b, []byte(pdf)) {
			t.Errorf("%s: %q, %v", f, b, err)
		}
	}
	return len(files)
}

func TestOfficeSaysHowItIs(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if got := askOffice(t, o, goipp.OpGetPrinterAttributes, "")["media-ready"]; got != "iso_a4_210x297mm" {
		t.Errorf("paper %s", got)
	}
	for _, tt := range []struct{ order, want string }{
		{"paper out", "media-empty-report"},
		{"paper low", "media-low-report"},
		{"paper  in", "none"},
		{"toner low", "toner-low-report"},
		{"toner empty", "toner-empty-report"},
		{"jam", "media-jam-report toner-empty-report"},
		{"toner ok", "media-jam-report"},
		{"jam off", "none"},
		{"cover open", "cover-open-report"},
		{"cover close", "none"},
		{"stop", "paused-report"},
		{"start", "none"},
	} {
		mustOrder(t, o, tt.order)
		got := strings.Fields(strings.NewReplacer("[", "", "]", "", ",", " ").Replace(askOffice(t, o, goipp.OpGetPrinterAttributes, "")["printer-state-reasons"]))
		slices.Sort(got)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: the printer says %v, want %s", tt.order, got, tt.want)
		}
	}
	if _, err := o.Do("paper blue"); err == nil {
		t.Error("an order that does not exist was obeyed")
	}
}

func TestOfficePrintsOnceThePaperIsBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	mustPrint(t, o)
	await(t, "the first document", func() bool { return printed(t, o) == 1 })

	mustOrder(t, o, "paper out")
	id := mustPrint(t, o)
	await(t, "the job being held", func() bool { return askOffice(t, o, goipp.OpGetJobAttributes, "", id)["job-state"] == "5" })
	mustOrder(t, o, "jam")
	mustOrder(t, o, "paper in") // the job goes on, up to the jam
	if n := printed(t, o); n != 1 {
		t.Errorf("%d documents although paper is stuck", n)
	}
	mustOrder(t, o, "paper out")
	mustOrder(t, o, "jam off")
	mustOrder(t, o, "toner empty")
	mustOrder(t, o, "paper in")
	if n := printed(t, o); n != 1 {
		t.Errorf("%d documents without toner", n)
	}
	mustOrder(t, o, "toner ok")
	await(t, "the end of the job", func() bool { return askOffice(t, o, goipp.OpGetJobAttributes, "", id)["job-state"] == "9" })
	if n := printed(t, o); n != 2 {
		t.Errorf("%d documents, want 2", n)
	}
}

func TestOfficeDoesNotPrintWhatWasCanceled(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	mustOrder(t, o, "paper out")
	id := mustPrint(t, o)
	await(t, "the job being held", func() bool { return askOffice(t, o, goipp.OpGetJobAttributes, "", id)["job-state"] == "5" })
	askOffice(t, o, goipp.OpCancelJob, "", id)
	mustOrder(t, o, "paper in")
	await(t, "the end of the job", func() bool { return askOffice(t, o, goipp.OpGetJobAttributes, "", id)["job-state"] == "7" })

	mustOrder(t, o, "cover open")
	id = mustPrint(t, o)
	await(t, "the job being held", func() bool { return askOffice(t, o, goipp.OpGetJobAttributes, "", id)["job-state"] == "5" })
	askOffice(t, o, goipp.OpCancelJob, "", id)
	await(t, "the end of the job", func() bool { return askOffice(t, o, goipp.OpGetJobAttributes, "", id)["job-state"] == "7" })
	mustOrder(t, o, "cover close")
	mustPrint(t, o)
	await(t, "the next document", func() bool { return printed(t, o) >= 1 })
	if status, err := o.Do("status"); err != nil || status != "plugged=true reasons=none printed=1" {
		t.Errorf("status %q, %v", status, err)
	}
}

func TestOfficeUnplugged(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	mustOrder(t, o, "cover open")
	mustPrint(t, o)
	mustOrder(t, o, "unplug")
	if _, err := http.Get("http" + strings.TrimPrefix(o.URI(), "ipp")); err == nil {
		t.Error("the printer still answers")
	}
	if _, err := o.Do("unplug"); !errors.Is(err, sim.ErrUnplugged) {
		t.Errorf("the second unplug: %v", err)
	}
	mustOrder(t, o, "paper out")
	mustOrder(t, o, "plug")
	if _, err := o.Do("plug"); !errors.Is(err, sim.ErrPlugged) {
		t.Errorf("the second plug: %v", err)
	}
	if status, err := o.Do("status"); err != nil || status != "plugged=true reasons=cover-open,media-empty printed=0" {
		t.Errorf("status %q, %v", status, err)
	}
	// No job and no program is left of the first one.
	if out, err := exec.Command("pgrep", "--full", "--count", filepath.Dir(o.Printed())+"/command.sh").Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Errorf("programs: %s, %v, want only the printer", out, err)
	}
}
