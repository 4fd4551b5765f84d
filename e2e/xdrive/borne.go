package xdrive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Options say which borne a test wants. The zero value is the demo borne in
// portrait.
type Options struct {
	Profile string   // a file; packaging/demo.toml when empty, none when "-"
	Places  string   // a CSV to import first; the demo places when empty, none when "-"
	Size    string   // "1080x1920" when empty
	Env     []string // more environment: "PARVIS_NOW=…"
	Bare    bool     // without devices: nothing at the other end of any line
	Also    []string // devices beside printer, badge reader and scanner: "card", "office"
	Dir     string   // a folder to start in, with what an earlier borne left; new when empty
}

// Borne is the real program, in front of a virtual screen, with a desk of
// simulated devices. Every method ends the test when the borne doesn't do as asked.
type Borne struct {
	Dir       string // where it runs; run/ in it holds data, tickets and logs
	Screen    *Screen
	FirstPage time.Duration // from the program's last start to its first whole page on the glass

	t       testing.TB
	options Options
	display *Display
	office  string // port of the A4 printer, where there is one
	app     *program
	desk    *program
	trace   tail
	drawn   []Page // what the trace has told so far
	voice   tail
	said    []Utterance // what the voice has said so far
	acted   int         // pages drawn when the resident last did something
	heard   int         // utterances then
}

// A Page is what the program says it has drawn.
type Page struct {
	Page    string   `json:"page"`
	Lang    string   `json:"lang"`
	Screen  int      `json:"screen"`
	Screens int      `json:"screens"`
	Targets []Target `json:"targets"`
}

// A Target is something on the page that can be touched, in pixels.
type Target struct {
	ID       string  `json:"id"`
	Kind     string  `json:"kind"`
	X        float64 `json:"x"`
	Y        float64 `json:"y"`
	W        float64 `json:"w"`
	H        float64 `json:"h"`
	Disabled bool    `json:"disabled"`
}

// Bounds is where the target is touched.
func (t Target) Bounds() image.Rectangle {
	return image.Rect(int(t.X), int(t.Y), int(t.X+t.W), int(t.Y+t.H))
}

// Middle is where a finger aims.
func (t Target) Middle() (x, y int) { return int(t.X + t.W/2), int(t.Y + t.H/2) }

// An Utterance is one thing said.
type Utterance struct{ Lang, Text string }

// A Ticket is one piece of paper.
type Ticket struct {
	Text string
	PNG  string // path of its picture
}

// demoPlaces is the directory that make run shows.
const demoPlaces = "content/demo/places.csv"

// patience is how long a borne may take over one thing on a busy machine.
const patience = time.Minute

// Root is the folder of the module, found from the working directory up.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
	}
}

// Build puts the programs of the module's present sources into its bin folder.
func Build(ctx context.Context) error {
	root, err := Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags=x11,migrated_fynedo,sqlite_fts5",
		"-o", "bin/", "./cmd/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// Main builds the programs and runs the tests of a package; it gives what their
// process ends with.
func Main(run func() int) int {
	if err := Build(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// Morning is a Tuesday on which the demo places are open.
const Morning = "PARVIS_NOW=2026-11-24T10:42:00+01:00"

// StartBorne starts a borne and waits for its first page. It is stopped when
// the test ends.
func StartBorne(t testing.TB, o Options) *Borne {
	t.Helper()
	b := &Borne{t: t, options: o, Dir: o.Dir, trace: tail{name: "run/trace.jsonl"}, voice: tail{name: "run/voice.log"}}
	root, err := Root()
	b.must(err)
	if b.Dir == "" {
		b.Dir = t.TempDir()
	}
	b.must(os.MkdirAll(b.path("run"), 0o700))
	if o.Profile == "" {
		o.Profile = filepath.Join(root, "packaging", "demo.toml")
	}
	add, without := b.also()
	if o.Profile != "-" {
		profile, err := os.ReadFile(o.Profile)
		b.must(err)
		b.must(os.WriteFile(b.path("run/profile.toml"), append(profile, add...), 0o600))
	}
	if o.Places == "" {
		o.Places = filepath.Join(root, demoPlaces)
	}
	if o.Places != "-" {
		b.Command("places", "import", o.Places, "--data", "run/data")
	}

	width, height := 1080, 1920
	if o.Size != "" {
		if n, err := fmt.Sscanf(o.Size, "%dx%d", &width, &height); n != 2 {
			t.Fatalf("size %q: %v", o.Size, err)
		}
	}
	b.options.Size = fmt.Sprintf("%dx%d", width, height)
	b.display, err = StartDisplay(t.Context(), width, height)
	b.must(err)
	t.Cleanup(func() { b.display.Close() })
	b.Screen, err = OpenScreen(b.display.Name)
	b.must(err)
	t.Cleanup(func() { b.Screen.Close() })

	if !o.Bare {
		args := []string{"desk", "--without", without}
		if b.office != "" {
			args = append(args, "--ipp", b.office)
		}
		b.desk = b.start("parvis-sim", args...)
		t.Cleanup(func() { b.desk.end(syscall.SIGTERM) })
		b.waitFor("the desk", patience, func() bool { // its orders come last
			_, err := os.Stat(b.path("run/desk.ctl"))
			return err == nil
		})
	}
	t.Cleanup(func() {
		b.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the borne's last words:\n%s", b.Says())
		}
	})
	b.Start()
	return b
}

// Start starts the program, after Stop or Kill, and waits for its first page
// to stand on the glass.
func (b *Borne) Start() {
	b.t.Helper()
	start := time.Now()
	glass, shown := b.launch()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	last, err := glass.settle(ctx, quietEnough)
	b.must(err)
	if last.IsZero() {
		last = shown
	}
	b.FirstPage = last.Sub(start)
}

// Launch starts the program as Start does, and waits no longer than until it
// shows something: it can be touched then.
func (b *Borne) Launch() {
	b.t.Helper()
	b.launch()
}

func (b *Borne) launch() (glass *watch, shown time.Time) {
	b.t.Helper()
	b.dropTorn(b.trace.name)
	b.dropTorn(b.voice.name)
	b.mark()
	glass, err := b.Screen.watch(b.Screen.Bounds())
	b.must(err)
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	b.app = b.start("parvis", "run", "--data", "run/data", "--profile", "run/profile.toml", "--size", b.options.Size)
	b.waitFor("the first page", patience, func() bool { return len(b.pages()) > b.acted })
	shown, err = glass.next(ctx) // the page is told before it is shown
	b.must(err)
	return glass, shown
}

// dropTorn takes from the end of a file what a program that was killed amid a line
// has left of it, or else the next program's first line would go on there.
func (b *Borne) dropTorn(name string) {
	b.t.Helper()
	text, err := os.ReadFile(b.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	b.must(err)
	if whole := bytes.LastIndexByte(text, '\n') + 1; whole < len(text) {
		b.must(os.Truncate(b.path(name), int64(whole)))
	}
}

// Stop ends the program as systemd would, and waits for it.
func (b *Borne) Stop() { b.end(syscall.SIGTERM) }

// Kill ends the program as a power cut would.
func (b *Borne) Kill() { b.end(syscall.SIGKILL) }

func (b *Borne) end(signal syscall.Signal) {
	if b.app != nil {
		b.app.end(signal)
		b.app = nil
	}
}

// Command runs a command of parvis in the borne's folder and returns what it
// wrote on stdout.
func (b *Borne) Command(args ...string) string {
	b.t.Helper()
	cmd := b.command("parvis", args...)
	var says bytes.Buffer
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("parvis %s: %v\n%s", strings.Join(args, " "), err, says.String())
	}
	return string(out)
}

// Try runs a command of parvis in the borne's folder and returns what it wrote on
// stdout, and its exit status.
func (b *Borne) Try(args ...string) (out string, status int) {
	b.t.Helper()
	said, err := b.command("parvis", args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatalf("parvis %s: %v", strings.Join(args, " "), err)
	}
	if exit != nil {
		status = exit.ExitCode()
	}
	return string(said), status
}

// Page is what was last drawn.
func (b *Borne) Page() Page {
	b.t.Helper()
	pages := b.pages()
	if len(pages) == 0 {
		b.t.Fatal("nothing has been drawn")
	}
	return pages[len(pages)-1]
}

// WaitPage waits until the page of the given name has been drawn since the
// last touch or key, and stands there.
func (b *Borne) WaitPage(name string) Page {
	b.t.Helper()
	return b.WaitPageWithin(name, patience)
}

// WaitPageWithin is WaitPage with another patience.
func (b *Borne) WaitPageWithin(name string, patience time.Duration) Page {
	b.t.Helper()
	var last Page
	b.waitFor("page "+name, patience, func() bool {
		pages := b.pages()
		if len(pages) <= b.acted {
			return false
		}
		last = pages[len(pages)-1]
		return last.Page == name
	})
	return last
}

// WaitDrawn waits until something has been drawn since the last touch or key,
// and returns what stands then.
func (b *Borne) WaitDrawn() Page {
	b.t.Helper()
	b.waitFor("a drawing", patience, func() bool { return len(b.pages()) > b.acted })
	return b.Page()
}

// Drawn is all that has been drawn since the last touch or key.
func (b *Borne) Drawn() []Page {
	b.t.Helper()
	pages := b.pages()
	return pages[min(b.acted, len(pages)):]
}

// Wait waits until ok, which may look at the borne, comes true.
func (b *Borne) Wait(what string, ok func() bool) {
	b.t.Helper()
	b.waitFor(what, patience, ok)
}

// Lend hands the borne to a subtest, until that ends.
func (b *Borne) Lend(t testing.TB) {
	owner := b.t
	b.t = t
	t.Cleanup(func() { b.t = owner })
}

// PID is the number of the program's process.
func (b *Borne) PID() int { return b.app.cmd.Process.Pid }

// Target finds a target on the page that stands, waiting for it to be drawn.
func (b *Borne) Target(id string) Target {
	b.t.Helper()
	var found Target
	b.waitFor("target "+id, patience, func() bool {
		pages := b.pages()
		if len(pages) == 0 {
			return false
		}
		targets := pages[len(pages)-1].Targets
		i := slices.IndexFunc(targets, func(t Target) bool { return t.ID == id })
		if i >= 0 {
			found = targets[i]
		}
		return i >= 0
	})
	return found
}

// Tap touches the middle of a target.
func (b *Borne) Tap(id string) {
	b.t.Helper()
	x, y := b.Target(id).Middle()
	b.mark()
	b.must(b.Screen.Click(x, y))
}

// Key presses a key, named as in Screen.Key.
func (b *Borne) Key(name string) {
	b.t.Helper()
	b.mark()
	b.must(b.Screen.Key(name))
}

// mark notes where trace and voice stand before an action.
func (b *Borne) mark() { b.acted, b.heard = len(b.pages()), len(b.Spoken()) }

// Spoken is everything said since the program first started.
func (b *Borne) Spoken() []Utterance {
	b.t.Helper()
	for _, line := range b.news(&b.voice) {
		lang, text, _ := strings.Cut(line, "\t")
		b.said = append(b.said, Utterance{lang, unescape.Replace(text)})
	}
	return b.said
}

var unescape = strings.NewReplacer(`\\`, "\\", `\n`, "\n", `\t`, "\t", `\r`, "\r")

// WaitSpoken waits for an utterance, since the last touch or key, that holds
// the words.
func (b *Borne) WaitSpoken(words string) Utterance {
	b.t.Helper()
	var said Utterance
	b.waitFor(fmt.Sprintf("%q in the voice", words), patience, func() bool {
		for _, u := range b.Spoken()[b.heard:] {
			if strings.Contains(u.Text, words) {
				said = u
				return true
			}
		}
		return false
	})
	return said
}

// Listen waits until the voice is silent, and returns all it has said since the
// last touch or key.
func (b *Borne) Listen() []Utterance {
	b.t.Helper()
	last, since := len(b.Spoken()), time.Now()
	b.waitFor("silence", patience, func() bool {
		if n := len(b.Spoken()); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > silence
	})
	return slices.Clone(b.Spoken()[b.heard:])
}

// silence is how long the voice says nothing when it has come to an end.
const silence = 300 * time.Millisecond

// Press presses a key and returns the one thing that is said in return.
func (b *Borne) Press(key string) string {
	b.t.Helper()
	b.Key(key)
	b.waitFor("the voice after "+key, patience, func() bool { return len(b.Spoken()) > b.heard })
	return b.Spoken()[b.heard].Text
}

// Seek presses a key, Down or Up, until the voice says the words, as a resident
// does who doesn't see the screen. It gives up when the whole page went by.
func (b *Borne) Seek(key, words string) {
	b.t.Helper()
	var said []string
	for range 80 {
		text := b.Press(key)
		if strings.Contains(text, words) {
			return
		}
		said = append(said, text)
	}
	b.t.Fatalf("the voice never said %q, only:\n%s", words, strings.Join(said, "\n"))
}

// Tickets are the papers printed so far, in order.
func (b *Borne) Tickets() []Ticket {
	b.t.Helper()
	var tickets []Ticket
	for n := 1; ; n++ {
		name := b.path("run/tickets/ticket-" + strconv.Itoa(n))
		text, err := os.ReadFile(name + ".txt")
		if errors.Is(err, os.ErrNotExist) {
			return tickets
		}
		b.must(err)
		tickets = append(tickets, Ticket{string(text), name + ".png"})
	}
}

// WaitTicket waits until n tickets have been printed and returns the n-th.
func (b *Borne) WaitTicket(n int) Ticket {
	b.t.Helper()
	b.waitFor(fmt.Sprintf("ticket %d", n), patience, func() bool { return len(b.Tickets()) >= n })
	return b.Tickets()[n-1]
}

// Printer gives the simulated ticket printer an order ("paper out", "unplug" …)
// and returns its answer.
func (b *Borne) Printer(order string) string {
	b.t.Helper()
	return b.Order("printer " + order)
}

// Order gives the desk an order ("rfid card 0006547886", "card insert vitale" …)
// and returns its answer.
func (b *Borne) Order(order string) string {
	b.t.Helper()
	conn, err := net.Dial("unix", b.path("run/desk.ctl"))
	b.must(err)
	defer conn.Close()
	b.must(conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintln(conn, order)
	b.must(err)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	b.must(err)
	return strings.TrimSpace(answer)
}

// also prepares the devices that not every test wants: what the profile says of
// them, and which the desk is to leave out.
func (b *Borne) also() (profile, without string) {
	b.t.Helper()
	without = "page"
	if slices.Contains(b.options.Also, "card") {
		profile += "\n[[lecteurs]]\ntype = \"pcsc\"\n"
	} else {
		without += ",card"
	}
	if !slices.Contains(b.options.Also, "office") {
		return profile, without + ",office"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	defer l.Close()
	_, b.office, err = net.SplitHostPort(l.Addr().String())
	b.must(err)
	return profile + "\n[imprimante_a4]\nfile = \"ipp://localhost:" + b.office + "/ipp/print\"\n", without
}

// Screenshot writes what the glass shows to a PNG file.
func (b *Borne) Screenshot(path string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	b.must(b.Screen.WaitStill(ctx, quietEnough))
	img, err := b.Screen.Screenshot()
	b.must(err)
	var out bytes.Buffer
	b.must((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img))
	b.must(os.WriteFile(path, out.Bytes(), 0o644))
}

// TapLatency taps a target and times the change on the glass.
func (b *Borne) TapLatency(id string) Latency {
	b.t.Helper()
	x, y := b.Target(id).Middle()
	b.mark()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	l, err := b.Screen.Latency(ctx, x, y, b.Screen.Bounds())
	b.must(err)
	return l
}

// Memory is the program's proportional set size in bytes.
func (b *Borne) Memory() int64 {
	b.t.Helper()
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", b.app.cmd.Process.Pid))
	b.must(err)
	for line := range strings.Lines(string(rollup)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" {
			kB, err := strconv.ParseInt(fields[1], 10, 64)
			b.must(err)
			return kB << 10
		}
	}
	b.t.Fatal("no Pss in smaps_rollup")
	return 0
}

func (b *Borne) path(name string) string { return filepath.Join(b.Dir, name) }

// pages are all that the trace holds.
func (b *Borne) pages() []Page {
	b.t.Helper()
	for _, line := range b.news(&b.trace) {
		var p Page
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			b.t.Fatalf("trace: %v in %s", err, line)
		}
		b.drawn = append(b.drawn, p)
	}
	return b.drawn
}

// A tail is how far a growing file has been read.
type tail struct {
	name   string
	offset int64
}

// news are the whole lines that a file, which may not be there yet, has grown
// by. A line that is being written is left for later.
func (b *Borne) news(t *tail) []string {
	b.t.Helper()
	f, err := os.Open(b.path(t.name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	b.must(err)
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, t.offset, math.MaxInt64-t.offset))
	b.must(err)
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	t.offset += int64(len(whole))
	return strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n")[:bytes.Count(whole, []byte("\n"))]
}

func (b *Borne) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// waitFor ends the test when ok doesn't come true in time.
func (b *Borne) waitFor(what string, patience time.Duration, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if b.app != nil && b.app.ended() {
			b.t.Fatalf("waiting for %s, the program ended:\n%s", what, b.Says())
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("waited %v for %s; %s", patience, what, b.situation())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// situation says where the borne stands, for a failed test.
func (b *Borne) situation() string {
	var lines []string
	if pages := b.pages(); len(pages) > 0 {
		last := pages[len(pages)-1]
		ids := make([]string, len(last.Targets))
		for i, target := range last.Targets {
			ids[i] = target.ID
		}
		lines = append(lines, fmt.Sprintf("on page %s in %s with %s", last.Page, last.Lang, strings.Join(ids, " ")))
	}
	if said := b.Spoken(); len(said) > 0 {
		lines = append(lines, fmt.Sprintf("last said: %q", said[len(said)-1].Text))
	}
	if img, err := b.Screen.Screenshot(); err == nil {
		path := filepath.Join(os.TempDir(), "parvis-"+strings.NewReplacer("/", "-", "#", "-").Replace(b.t.Name())+".png")
		if f, err := os.Create(path); err == nil {
			if errors.Join(png.Encode(f, img), f.Close()) == nil {
				lines = append(lines, "the glass: "+path)
			}
		}
	}
	return strings.Join(lines, "; ")
}

// A program is a child of the test that runs in the borne's folder.
type program struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed once it has ended
}

func (b *Borne) command(name string, args ...string) *exec.Cmd {
	b.t.Helper()
	root, err := Root()
	b.must(err)
	cmd := exec.Command(filepath.Join(root, "bin", name), args...)
	cmd.Dir = b.Dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + b.path("run/home"), "TMPDIR=" + b.path("run/tmp"),
		"LIBGL_ALWAYS_SOFTWARE=1", "FYNE_SCALE=1",
		"PARVIS_VOICE=log:" + b.path("run/voice.log"), "PARVIS_TRACE=" + b.path("run/trace.jsonl"),
	}
	if slices.Contains(b.options.Also, "card") {
		cmd.Env = append(cmd.Env, "PCSCLITE_CSOCK_NAME="+b.path("run/pcsc/pcscd.comm"))
	}
	if b.display != nil {
		cmd.Env = append(cmd.Env, "DISPLAY="+b.display.Name)
	}
	cmd.Env = append(cmd.Env, b.options.Env...)
	return cmd
}

func (b *Borne) start(name string, args ...string) *program {
	b.t.Helper()
	b.must(errors.Join(os.MkdirAll(b.path("run/home/.cache"), 0o700), os.MkdirAll(b.path("run/tmp"), 0o700)))
	p := &program{cmd: b.command(name, args...), exited: make(chan struct{})}
	log, err := os.OpenFile(b.path("run/"+name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	b.must(err)
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	b.must(p.cmd.Start())
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	return p
}

func (p *program) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// end sends the program and what it started a signal, and waits for its end.
func (p *program) end(signal syscall.Signal) {
	if p.ended() {
		return
	}
	syscall.Kill(-p.cmd.Process.Pid, signal)
	select {
	case <-p.exited:
	case <-time.After(patience):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
	}
}

// Says is the end of what the borne's program wrote to its log.
func (b *Borne) Says() string {
	text, err := os.ReadFile(b.path("run/parvis.log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}
