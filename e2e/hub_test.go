package e2e

import (
	"bytes"
	"image/png"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/e2e/fleet"
	"parvis/e2e/xdrive"
	"parvis/hub/console/browsertest"
)

// TestHub is a day of an agent, on a real hub in a real browser, with the real
// agent of a borne whose window, printer and restart are real too.
func TestHub(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	hub := fleet.StartHub(t, fleet.HubOptions{})
	data := filepath.Join(b.Dir, "run/data")
	fleet.Enrol(t, data, hub.Bornes, hub.Code("demo", "Mairie de quartier", "MQ-01"), "--logs", filepath.Join(b.Dir, "run/parvis.log"))
	c := openConsole(t, hub)
	c.Until(`/Papier\sOK/.test(document.querySelector("#fleet-rows")?.innerText)`)
	c.Open("/bornes/MQ-01")
	c.Until(`document.querySelector("#borne-devices")?.innerText.includes("Imprimante de tickets")`)

	t.Run("paper", func(t *testing.T) {
		b.Lend(t)
		began := time.Now()
		b.Printer("paper out")
		c.Until(`document.querySelector("#borne-faults")?.innerText.includes("Plus de papier")`)
		t.Logf("the end of the paper shows after %v", time.Since(began).Round(time.Millisecond))
		b.Printer("paper in")
		c.Until(`!document.querySelector("#borne-faults")?.innerText.includes("Plus de papier")`)
	})
	t.Run("screenshot", func(t *testing.T) {
		c.Click("#ordre-capture")
		c.Until(`document.querySelector("#borne-screen img")?.naturalHeight > 0`)
		if height := browsertest.Script[int](c, `document.querySelector("#borne-screen img").naturalHeight`); height < 900 {
			t.Errorf("the screenshot is %d pixels high: nobody can read it", height)
		}
	})
	t.Run("never while somebody types", func(t *testing.T) {
		b.Lend(t)
		tap(b, "start", "callback", "topic:logement")
		write(b, "0612")
		c.Click("#ordre-capture")
		c.Until(`/Refus/.test(document.querySelector("#borne-commands")?.innerText)`)
		leave(b)
	})
	t.Run("message", func(t *testing.T) {
		b.Lend(t)
		before := screenOf(t, b)
		c.Click("details.more summary")
		c.Type("#message-texte", "L’accueil ferme à 16 h aujourd’hui.")
		c.Click(`form[action="/bornes/MQ-01/message"] button:not([name])`)
		b.Wait("a message on the glass", func() bool { return !bytes.Equal(before, screenOf(t, b)) })
		c.Until(`/Message[^]*Faite/.test(document.querySelector("#borne-commands")?.innerText)`)
	})
	t.Run("restart", func(t *testing.T) {
		b.Lend(t)
		before := started(t, b)
		c.Click("#ordre-relance")
		c.Click("main form button[type=submit]")
		b.Wait("a new start", func() bool { return started(t, b) != before && b.Page().Page == "attract" })
		c.Until(`/Relancer[^]*?Faite/.test(document.querySelector("#borne-commands")?.innerText)`)
	})
	t.Run("a request", func(t *testing.T) {
		b.Lend(t)
		b.Wait("an idle borne", func() bool { return b.Page().Page == "attract" })
		tap(b, "start", "callback", "topic:logement")
		write(b, "0612345678")
		tap(b, "continue", "slot:any", "continue", "continue", "consent", "send")
		b.WaitPage("callback.done")
		c.Open("/rappels") // the page of the fleet says no number so small
		c.Until(`document.querySelectorAll("#callback-rows tr").length == 1 && document.querySelector("#callback-rows").innerText.includes("Logement")`)
		if n := len(b.Waiting()); n != 0 {
			t.Errorf("%d requests are still on the borne", n)
		}
	})
}

// started is when the application last started, as it tells the agent.
func started(t *testing.T, b *xdrive.Borne) time.Time {
	t.Helper()
	st := b.OpenStore()
	defer st.Close()
	alive, err := st.Alive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return alive.Started
}

// screenOf is the glass as bytes, to see whether it changes.
func screenOf(t *testing.T, b *xdrive.Borne) []byte {
	t.Helper()
	img, err := b.Screen.Screenshot()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// openConsole opens a hub's console in a real browser, as its first
// administrator.
func openConsole(t *testing.T, hub *fleet.Hub) *browsertest.Browser {
	t.Helper()
	link := strings.TrimSpace(hub.Command("person", "first", "--url", ""))
	c := browsertest.At(t, hub.People).Browser()
	c.Open(link)
	c.Type("#name", "C. Weber")
	c.Type("#email", "c.weber@parvis.test")
	c.Type("#password", browsertest.Password)
	c.Type("#again", browsertest.Password)
	c.Click("main button[type=submit]")
	c.Until(`document.querySelector("h1")?.innerText == "Bornes"`)
	return c
}
