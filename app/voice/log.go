package voice

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// logVoice writes what would be heard into a file, for tests and for a person
// who checks a borne without a loudspeaker.
type logVoice struct {
	mu     sync.Mutex
	file   *os.File // nil once closed
	output Output
}

// NewLog returns a voice that adds one line to the file at path for each
// utterance, as it is given out: the language, a tab, and the words as an ear
// would get them (after Normalise), with newline, tab and backslash written
// \n, \t and \\; where the output's device has a name, another tab and that
// name. The file holds what residents hear, so only its owner may read it.
func NewLog(path string) (Voice, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("voice log: %w", err)
	}
	return &logVoice{file: f}, nil
}

var logEscapes = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`)

func (v *logVoice) Say(lang, text string, said func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.write(lang, text, said)
}

func (v *logVoice) SayPrivate(lang, text string, said func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.output.Private {
		v.write(lang, text, said)
	}
}

// write adds the line. The caller holds mu.
func (v *logVoice) write(lang, text string, said func()) {
	line := lang + "\t" + logEscapes.Replace(Normalise(lang, text))
	if v.output.Device != "" {
		line += "\t" + logEscapes.Replace(v.output.Device)
	}
	if v.file != nil {
		v.file.WriteString(line + "\n") // one write(2): a reader never sees half a line
	}
	if said != nil {
		go said()
	}
}

func (v *logVoice) SetOutput(o Output) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.output = o
}

func (v *logVoice) Stop() {}

func (v *logVoice) SetVolume(step int) {}

func (v *logVoice) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.file == nil {
		return nil
	}
	err := v.file.Close()
	v.file = nil
	return err
}
