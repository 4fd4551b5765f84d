package card

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The lengths that a PIN may have, in digits.
const (
	MinPIN = 4
	MaxPIN = 12
)

// What a new PIN is hashed with: the least memory that OWASP asks of argon2id,
// since a borne has little.
const (
	pinMemory  = 19 * 1024 // KiB
	pinTime    = 2
	pinThreads = 1
	pinSalt    = 16 // bytes
	pinSum     = 32 // bytes
)

// The most that a PIN's hash in a profile may ask for: a wrong number there
// must not take the borne's memory or a minute of its time.
const (
	maxPINMemory  = 256 * 1024 // KiB
	maxPINTime    = 16
	maxPINThreads = 8
)

// PIN is the hash of a code that opens the page for staff. The zero PIN is
// that of no code: nothing opens it.
type PIN struct {
	memory, time uint32
	threads      uint8
	salt, sum    []byte
}

var (
	errPINForm = errors.New("empreinte de code illisible : attendu « $argon2id$v=19$m=…,t=…,p=…$sel$empreinte », que donne « parvis badge code »")
	// ErrPIN says that a code cannot be used as a PIN.
	ErrPIN = fmt.Errorf("le code doit avoir de %d à %d chiffres", MinPIN, MaxPIN)
)

// HashPIN writes a PIN as a profile holds it, in the PHC string format. The
// error is ErrPIN.
func HashPIN(pin []byte) (string, error) {
	if len(pin) < MinPIN || len(pin) > MaxPIN {
		return "", ErrPIN
	}
	for _, b := range pin {
		if b < '0' || b > '9' {
			return "", ErrPIN
		}
	}
	salt := make([]byte, pinSalt)
	rand.Read(salt) // never fails
	sum := argon2.IDKey(pin, salt, pinTime, pinMemory, pinThreads, pinSum)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, pinMemory, pinTime, pinThreads, b64(salt), b64(sum)), nil
}

// ParsePIN reads what HashPIN wrote. An empty string is the zero PIN.
func ParsePIN(phc string) (PIN, error) {
	if phc == "" {
		return PIN{}, nil
	}
	var p PIN
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return PIN{}, errPINForm
	}
	if n, err := fmt.Sscanf(parts[3]+"\n", "m=%d,t=%d,p=%d\n", &p.memory, &p.time, &p.threads); n != 3 || err != nil {
		return PIN{}, errPINForm
	}
	if p.memory == 0 || p.memory > maxPINMemory || p.time == 0 || p.time > maxPINTime || p.threads == 0 || p.threads > maxPINThreads {
		return PIN{}, fmt.Errorf("empreinte de code : au plus m=%d, t=%d et p=%d", maxPINMemory, maxPINTime, maxPINThreads)
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 {
		return PIN{}, errPINForm
	}
	if p.sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.sum) < 16 {
		return PIN{}, errPINForm
	}
	return p, nil
}

// Set reports whether there is a code at all.
func (p PIN) Set() bool { return len(p.sum) > 0 }

// Check reports whether a code is the right one. It takes tens of milliseconds
// on purpose.
func (p PIN) Check(typed []byte) bool {
	if !p.Set() {
		return false
	}
	sum := argon2.IDKey(typed, p.salt, p.time, p.memory, p.threads, uint32(len(p.sum)))
	return subtle.ConstantTimeCompare(sum, p.sum) == 1
}
