package browsertest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"parvis/hub/people"
)

// chrome is the one Chromium of a test program; each Browser is a window of its
// own in it, with its own cookies.
var chrome struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// Main runs the tests of a package, and ends the Chromium that they used. Call
// it from TestMain: os.Exit(browsertest.Main(m)).
func Main(m *testing.M) int {
	// Tests wait for the browser more than they work.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(2*goruntime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	code := m.Run()
	if chrome.stop != nil {
		chrome.stop()
	}
	return code
}

func startChrome() {
	if _, err := exec.LookPath("chromium"); err != nil {
		chrome.err = errors.New("chromium is not installed (Debian package chromium)")
		return
	}
	dir, err := os.MkdirTemp("", "parvis-chromium-")
	if err != nil {
		chrome.err = err
		return
	}
	flags := append([]chromedp.ExecAllocatorOption{chromedp.ExecPath("chromium"), chromedp.UserDataDir(dir), chromedp.Headless,
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck},
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "fr-FR"),
		// A process for each page that was left, and one to spare, are work for nothing.
		chromedp.Flag("renderer-process-limit", "2"), chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-features", "BackForwardCache,SpareRendererForSitePerProcess,Translate,OptimizationHints,MediaRouter"))
	allocator, end := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, cancel := chromedp.NewContext(allocator)
	chrome.ctx = ctx
	chrome.stop = func() {
		cancel()
		end()
		os.RemoveAll(dir)
	}
	if err := chromedp.Do(ctx); err != nil {
		chrome.err = fmt.Errorf("chromium does not start: %w", err)
	}
}

// Size is how large a window is, in pixels.
type Size struct{ Width, Height int }

// The sizes that every page is looked at in.
var (
	Large = Size{1440, 900}
	Small = Size{390, 844}
)

// narrow is a window of 1280 pixels at 400 %, as RGAA 4.1 asks for in 10.11:
// nothing may need to be scrolled sideways.
var narrow = Size{320, 640}

// Browser is a window that shows the console.
type Browser struct {
	t       testing.TB
	console *Console
	Context context.Context // for chromedp.Run

	mu       sync.Mutex
	troubles []string // what the browser itself has complained of
}

// patience is how long a page may take: several tests share few cores.
const patience = 60 * time.Second

// Browser opens a window that nobody has signed in with.
func (c *Console) Browser() *Browser {
	c.t.Helper()
	chrome.once.Do(startChrome)
	if chrome.err != nil {
		c.t.Fatal(chrome.err)
	}
	b := &Browser{t: c.t, console: c}
	ctx, cancel := chromedp.NewContext(chrome.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	c.t.Cleanup(cancel)
	b.Context = ctx
	// The first use of a window must have no time limit: the window would end with it.
	if err := chromedp.Do(ctx); err != nil {
		c.t.Fatal(err)
	}
	b.Do(call(log.Enable, cdp.Empty{}))
	b.emulate("")
	b.Resize(Large)
	return b
}

// call is an action that gives the browser one command of its protocol.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// As opens a window that somebody of a role has signed in with.
func (c *Console) As(role people.Role) *Browser {
	c.t.Helper()
	b := c.Browser()
	client := c.SignedIn(role)
	at, err := url.Parse(c.URL)
	c.must(err)
	for _, cookie := range client.Jar.Cookies(at) {
		httpOnly := true
		b.Do(call(network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: c.URL,
			HTTPOnly: &httpOnly, SameSite: network.CookieSameSiteLax}))
	}
	return b
}

// listen notes what the console's pages make the browser complain of: scripts
// that fail, and what the Content-Security-Policy forbids.
func (b *Browser) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		b.note("script: " + text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.note(string(e.Entry.Source) + ": " + e.Entry.Text)
		}
	}
}

func (b *Browser) note(trouble string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = append(b.troubles, trouble)
}

// Do does something in the window, and fails the test if it can't.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	Get(b, chromedp.Steps(actions...))
}

// Get does something that has a result.
func Get[T any](b *Browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		again, stop := context.WithTimeout(b.Context, 2*time.Second)
		defer stop()
		where, _ := chromedp.Run(again, chromedp.Location())
		text, _ := chromedp.Run(again, chromedp.Text(chromedp.CSS("body")))
		b.t.Fatalf("%v\nat %s, which shows:\n%s", err, where, text)
	}
	return result
}

// Script evaluates a script's expression in the page.
func Script[T any](b *Browser, expression string) T {
	b.t.Helper()
	return Get(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Open shows a page of the console.
func (b *Browser) Open(path string) {
	b.t.Helper()
	b.OpenURL(b.console.URL + path)
}

// OpenURL shows a page of another site.
func (b *Browser) OpenURL(address string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address))
}

// Path is which page the window shows.
func (b *Browser) Path() string {
	b.t.Helper()
	return strings.TrimPrefix(Get(b, chromedp.Location()), b.console.URL)
}

// Text is what an element says, found by a CSS selector.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	return Get(b, chromedp.Text(chromedp.CSS(selector)))
}

// Click clicks on an element, found by a CSS selector.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Type types into a field, found by a CSS selector.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	b.Do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press presses keys, as kb.Tab, where the focus is.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// Follow presses Enter on the link that has the focus. Press would send the
// letter to wherever the link leads as well, which no keyboard does.
func (b *Browser) Follow() {
	b.t.Helper()
	for _, what := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		b.Do(call(input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: what, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}))
	}
}

// Until waits until a script's expression is true, on whatever page the window
// shows by then.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		// A page that is going away answers with an error.
		ctx, cancel := context.WithTimeout(b.Context, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("never true: %s (%v)\nat %s, which shows:\n%s", expression, err, b.Path(), b.Text("body"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Resize gives the window another size.
func (b *Browser) Resize(s Size) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(int64(s.Width), int64(s.Height)))
}

// Print shows the page as it would be on paper.
func (b *Browser) Print() {
	b.t.Helper()
	b.emulate("print")
}

// emulate shows pages on a medium; empty is the screen. Nothing moves: axe would
// find colours halfway between two.
func (b *Browser) emulate(medium string) {
	b.t.Helper()
	b.Do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium,
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}))
}

// Check examines the page; with PARVIS_SCREENS set, it takes pictures of it into
// docs/screens/console.
func (b *Browser) Check(name string) {
	b.t.Helper()
	b.Examine(name)
	if os.Getenv("PARVIS_SCREENS") == "" {
		return
	}
	for _, s := range []Size{Large, Small} {
		b.Resize(s)
		b.picture(name, s)
	}
	b.Resize(Large)
}

// Examine looks at the page as it is, large and small: axe finds nothing,
// nothing is wider than the window, in a narrow one either, and the browser has
// nothing to complain of.
func (b *Browser) Examine(name string) {
	b.t.Helper()
	for _, s := range []Size{Large, Small} {
		b.Resize(s)
		if found := b.axe(); found != "" {
			b.t.Errorf("%s at %d pixels: axe finds\n%s", name, s.Width, found)
		}
		b.fits(name, s)
	}
	b.Resize(narrow)
	b.fits(name, narrow)
	b.Resize(Large)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.troubles) > 0 {
		b.t.Errorf("%s: the browser complains of\n%s", name, strings.Join(b.troubles, "\n"))
		b.troubles = nil
	}
}

// fits fails the test when the page must be scrolled sideways.
func (b *Browser) fits(name string, s Size) {
	b.t.Helper()
	if wide := Script[string](b, tooWide); wide != "" {
		b.t.Errorf("%s at %d pixels: wider than the window: %s", name, s.Width, wide)
	}
}

// tooWide names what makes the page scroll sideways.
const tooWide = `(() => {
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width) return "";
	const wide = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".table"));
	return document.documentElement.scrollWidth + " px, " + wide.slice(-1).map((e) => e.outerHTML.slice(0, 120)).join();
})()`

// picture takes a picture of the whole page.
func (b *Browser) picture(name string, s Size) {
	b.t.Helper()
	height := Script[int](b, `Math.ceil(Math.max(document.body.scrollHeight, document.querySelector("main").getBoundingClientRect().bottom + window.scrollY))`)
	b.Resize(Size{s.Width, max(s.Height, height)})
	dir := filepath.Join(root(b.t), "docs/screens/console")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	Script[bool](b, `document.fonts.ready.then(() => true)`)
	png := Get(b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, s.Width)), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
