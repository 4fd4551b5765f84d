package card

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"parvis/device/reader"
)

// Fingerprint is what a site's profile holds of a badge: the HMAC-SHA-256 of
// how it is read and its number, under the profile's key. Who finds a profile
// without its key learns no number from it. Of a 125 kHz badge the last four bytes
// count: that is all that some readers give of the five.
func Fingerprint(key []byte, m reader.Medium, number string) []byte {
	if m == reader.RFID {
		number = number[max(0, len(number)-rfidDigits):]
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(m))
	h.Write([]byte{0})
	h.Write([]byte(number))
	return h.Sum(nil)
}

// rfidDigits is how many hexadecimal digits every reader gives of a 125 kHz badge.
const rfidDigits = 8

// media are the ways to read that give a number, in the words of profiles.
var media = map[string]reader.Medium{
	"rfid":         reader.RFID,
	"sans-contact": reader.Contactless,
	"code":         reader.Code,
}

// ParseMedium understands a profile's word for how a card is read: "rfid",
// "sans-contact" or "code".
func ParseMedium(word string) (reader.Medium, error) {
	m, ok := media[word]
	if !ok {
		return "", fmt.Errorf("%q : attendu « rfid », « sans-contact » ou « code »", word)
	}
	return m, nil
}

// ParseNumber puts the number of a badge, as a person wrote it, into the form
// in which readers give it: hexadecimal capitals without signs between. What a
// code says stays as it is. The error doesn't repeat the number.
func ParseNumber(m reader.Medium, number string) (string, error) {
	if m == reader.Code {
		if number == "" {
			return "", errors.New("le texte du code est vide")
		}
		return number, nil
	}
	n := strings.ToUpper(strings.NewReplacer(" ", "", ":", "", "-", "").Replace(number))
	if b, err := hex.DecodeString(n); err != nil || len(b) < 4 || len(b) > 10 {
		return "", errors.New("le numéro n’est pas un UID : 8 à 20 chiffres hexadécimaux attendus, par exemple 04A2B3C4")
	}
	return n, nil
}
