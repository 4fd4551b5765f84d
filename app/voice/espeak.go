package voice

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// espeak says utterances with espeak-ng piped into aplay. One goroutine starts
// and reaps the two programs; Say and Stop only leave it a message and kill
// what is running.
type espeak struct {
	onError func(error)
	told    map[string]bool // faults already told; the speaking goroutine's own
	wake    chan struct{}   // holds one token: there is something new to look at
	done    chan struct{}   // closed when the speaking goroutine has ended

	mu      sync.Mutex
	volume  int
	output  Output
	next    *utterance
	heard   chan struct{} // closed when the programs of the last utterance have ended
	turn    uint64        // grows with each Say and Stop; what began before is stale
	group   int           // process group of the speech being heard, 0 when silent
	closing bool
}

type utterance struct {
	lang, text string
	volume     int
	device     string // of ALSA, or empty
	turn       uint64
	said       func()
}

// NewEspeak returns the voice of the loudspeaker. It needs the programs
// espeak-ng and aplay; when one is missing or fails, onError (may be nil) is
// told once for each program and kind of fault, and the text goes unsaid.
func NewEspeak(onError func(error)) Voice {
	v := &espeak{
		onError: onError,
		told:    make(map[string]bool),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		volume:  DefaultVolume,
		heard:   make(chan struct{}),
	}
	close(v.heard)
	go v.speak()
	return v
}

func (v *espeak) Say(lang, text string, said func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.begin(lang, text, said)
}

func (v *espeak) SayPrivate(lang, text string, said func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.output.Private {
		v.cut()
		return
	}
	v.begin(lang, text, said)
}

// begin cuts what is being said and leaves the speaking goroutine a new
// utterance. The caller holds mu.
func (v *espeak) begin(lang, text string, said func()) {
	if v.closing {
		return
	}
	v.cut()
	v.next = &utterance{lang: lang, text: text, volume: v.volume, device: v.output.Device, turn: v.turn, said: said}
	v.poke()
}

// silence is how long SetOutput waits for killed programs to end. Only a sound
// driver that hangs makes them last so long.
const silence = time.Second

func (v *espeak) SetOutput(o Output) {
	v.mu.Lock()
	if v.output == o {
		v.mu.Unlock()
		return
	}
	v.output = o
	v.cut()
	heard := v.heard
	v.mu.Unlock()
	select {
	case <-heard:
	case <-time.After(silence):
	}
}

func (v *espeak) Stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut()
}

// cut forgets the waiting utterance and kills the one being heard.
// The caller holds mu.
func (v *espeak) cut() {
	v.turn++
	v.next = nil
	if v.group != 0 {
		// The only error would be that both programs have just ended.
		_ = syscall.Kill(-v.group, syscall.SIGKILL)
	}
}

func (v *espeak) poke() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

func (v *espeak) SetVolume(step int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.volume = min(max(step, MinVolume), MaxVolume)
}

func (v *espeak) Close() error {
	v.mu.Lock()
	v.cut()
	v.closing = true
	v.poke()
	v.mu.Unlock()
	<-v.done
	return nil
}

// speak says the newest utterance until the voice is closed.
func (v *espeak) speak() {
	defer close(v.done)
	// Pdeathsig fires when the starting thread ends, so it has to last as long
	// as the speech.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range v.wake {
		v.mu.Lock()
		u, closing := v.next, v.closing
		v.next = nil
		if u != nil {
			v.heard = make(chan struct{})
		}
		heard := v.heard
		v.mu.Unlock()
		if closing {
			return
		}
		if u == nil {
			continue
		}
		err := v.say(u)
		close(heard)
		if err != nil {
			v.tell(err)
		}
		if u.said != nil && !v.stale(u) {
			go u.said()
		}
	}
}

// stale reports whether u was cut.
func (v *espeak) stale(u *utterance) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.turn != u.turn
}

func (v *espeak) tell(err error) {
	if v.onError == nil || v.told[err.Error()] {
		return
	}
	v.told[err.Error()] = true
	v.onError(err)
}

// say runs both programs for one utterance and waits for their end. The text
// goes through a pipe: an argument list is open to every user of the machine.
func (v *espeak) say(u *utterance) error {
	words := Normalise(u.lang, u.text)
	if v.stale(u) {
		return nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("speech: %w", err)
	}
	var playSays, speakSays bytes.Buffer

	play := exec.Command("aplay", "-q")
	if u.device != "" {
		play.Args = append(play.Args, "-D", u.device)
	}
	play.Stdin = read
	play.Stderr = &playSays
	play.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := play.Start(); err != nil {
		read.Close()
		write.Close()
		return fmt.Errorf("speech: %w", err)
	}
	group := play.Process.Pid

	speak := exec.Command("espeak-ng", "--stdin", "--stdout",
		"-v", engineVoice(u.lang), "-s", strconv.Itoa(wordsPerMinute(u.lang)), "-a", strconv.Itoa(amplitude(u.volume)))
	speak.Stdin = strings.NewReader(words)
	speak.Stdout = write
	speak.Stderr = &speakSays
	speak.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group, Pdeathsig: syscall.SIGKILL}
	startErr := speak.Start()
	read.Close()
	write.Close()

	v.mu.Lock()
	v.group = group
	if v.turn != u.turn || startErr != nil { // cut while it was starting
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	v.mu.Unlock()

	var speakErr error
	if startErr == nil {
		speakErr = speak.Wait()
	}
	// The leader is left unreaped until group is forgotten: no other process
	// can be given its number and be killed in its place.
	awaitExit(group)
	v.mu.Lock()
	v.group = 0
	cut := v.turn != u.turn
	v.mu.Unlock()
	playErr := play.Wait()

	switch {
	case startErr != nil:
		return fmt.Errorf("speech: %w", startErr)
	case cut:
		return nil
	case playErr != nil: // espeak-ng then only fails for want of a reader
		return failure("aplay", playErr, playSays.String())
	case speakErr != nil:
		return failure("espeak-ng", speakErr, speakSays.String())
	}
	return nil
}

// awaitExit waits for the end of the child pid and leaves it a zombie.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// failure names the program that failed, with the last line it wrote.
func failure(program string, err error, stderr string) error {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return fmt.Errorf("speech: %s: %w: %s", program, err, last)
	}
	return fmt.Errorf("speech: %s: %w", program, err)
}

// engineVoice is espeak-ng's name for a language of the pages.
func engineVoice(lang string) string {
	switch lang {
	case "falc":
		return "fr"
	case "en":
		return "en-gb"
	}
	return lang
}

// wordsPerMinute is slower where a page is meant to be easy.
func wordsPerMinute(lang string) int {
	if lang == "falc" {
		return 125
	}
	return 150
}

// amplitude is espeak-ng's option -a for a step of loudness; 200 is the
// loudest it plays without clipping.
func amplitude(step int) int {
	return int(math.Round(200 * math.Pow(10, float64(step-MaxVolume)*VolumeStepDB/20)))
}
