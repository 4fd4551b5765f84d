package audio

// Jack is where the hardware ends and a test's pipe begins.
type Jack = jack

func NewHeadsetOn(open func(path string) (Jack, error)) *Headset {
	return &Headset{path: "/dev/input/event7", open: open}
}

func NewCardOf(list string, m Mixer, outputs ...string) *Card {
	return &Card{mixer: m, outputs: outputs, list: list}
}
