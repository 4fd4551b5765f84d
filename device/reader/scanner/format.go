package scanner

import (
	"fmt"
	"strings"
)

// Format is how a scanner is set to send codes. The zero value is that of a
// scanner as most leave the factory: the code, then CR.
type Format struct {
	Prefix string // before each code, and no part of it; what comes without is dropped
	Suffix string // after each code; empty means CR, also before LF
	// NoSuffix is for a scanner that sends none: silence ends a code then.
	NoSuffix bool

	MinLength int // characters; 0 means 1
	MaxLength int // characters; 0 means 512
}

// Check tells IT staff, in French, what of a format cannot be.
func (f Format) Check() error {
	switch f = f.full(); {
	case f.NoSuffix && f.Suffix != "":
		return fmt.Errorf("suffixe %q : les codes n’en ont pas", f.Suffix)
	case strings.HasPrefix(f.Prefix, "\r"), strings.HasPrefix(f.Prefix, "\n"):
		return fmt.Errorf("préfixe %q : il ne peut pas commencer par une fin de ligne", f.Prefix)
	case f.MinLength < 1:
		return fmt.Errorf("longueur minimale %d : donnez 1 ou plus", f.MinLength)
	case f.MaxLength < f.MinLength:
		return fmt.Errorf("longueur maximale %d : donnez au moins la longueur minimale, %d", f.MaxLength, f.MinLength)
	case f.MaxLength > longest:
		return fmt.Errorf("longueur maximale %d : donnez %d ou moins", f.MaxLength, longest)
	}
	return nil
}

// longest is what the biggest QR code holds in digits.
const longest = 7089

func (f Format) full() Format {
	if f.Suffix == "" && !f.NoSuffix {
		f.Suffix = "\r"
	}
	if f.MinLength == 0 {
		f.MinLength = 1
	}
	if f.MaxLength == 0 {
		f.MaxLength = 512
	}
	return f
}

// room is how many bytes a code in this format may take, with what is about
// it. Control characters count until they are taken out.
func (f Format) room() int {
	return len(f.Prefix) + len(f.Suffix) + 4*f.MaxLength
}
