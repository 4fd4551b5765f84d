package pcsc_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"parvis/device/reader/pcsc"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	ntag    = "3B 8F 80 01 80 4F 0C A0 00 00 03 06 03 00 03 00 00 00 00 68"
	classic = "3B 8F 80 01 80 4F 0C A0 00 00 03 06 03 00 01 00 00 00 00 6A"
	desfire = "3B 81 80 01 80 80"
	vitale  = "3B 75 13 00 00 44 09 EA 90 00"
)

func TestContactless(t *testing.T) {
	const anyName = "Virtual PCD 00 00"
	for name, tc := range map[string]struct {
		atr, reader string
		want        bool
	}{
		"NTAG":                               {ntag, anyName, true},
		"MIFARE Classic":                     {classic, anyName, true},
		"DESFire":                            {desfire, anyName, true},
		"nothing but a protocol":             {"3B 80 80 01 01", anyName, true},
		"carte Vitale":                       {vitale, anyName, false},
		"older carte Vitale":                 {"3F 65 25 00 22 09 69 90 00", anyName, false},
		"Java card with contacts":            {"3B F8 13 00 00 81 31 FE 45 4A 43 4F 50 76 32 34 31 B7", anyName, false},
		"a wrong checksum":                   {"3B 81 80 01 80 81", anyName, false},
		"cut short":                          {"3B 8F 80 01 80 4F 0C A0", anyName, false},
		"too long":                           {desfire + strings.Repeat("00", 30), anyName, false},
		"empty":                              {"", anyName, false},
		"the other convention":               {"3F 81 80 01 80 80", anyName, false},
		"carte Vitale in an odd reader":      {vitale, "ACS ACR122U PICC Interface 00 00", false},
		"a reader that says it has none":     {desfire, "ACS ACR122U PICC Interface 00 00", true},
		"a reader that says it has contacts": {desfire, "ACS ACR1281 1S Dual Reader ICC 00 00", false},
		"one of two in a reader":             {desfire, "Identive CLOUD 4700 F [Contact Reader] 00 00", false},
		"the other of two":                   {desfire, "Identive CLOUD 4700 F [Contactless Reader] 01 00", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pcsc.Contactless(unhex(t, tc.atr), tc.reader); got != tc.want {
				t.Errorf("Contactless = %t", got)
			}
		})
	}
}

func TestTagOf(t *testing.T) {
	for atr, want := range map[string]any{
		ntag: pcsc.TypeTwo, classic: pcsc.NoTag, desfire: pcsc.TypeFour, "3B80800101": pcsc.TypeFour, "": pcsc.NoTag,
	} {
		if got := pcsc.TagOf(unhex(t, atr)); got != want {
			t.Errorf("%s: tag %v, want %v", atr, got, want)
		}
	}
}

func TestMessageText(t *testing.T) {
	for name, tc := range map[string]struct{ message, want string }{
		"text":                        {"D1 01 08 54 02 66 72 C3 A9 74 C3 A9", "été"},
		"text in UTF-16":              {"D1 01 07 54 82 66 72 00 E9 00 74", "ét"},
		"text in UTF-16, other order": {"D1 01 09 54 82 66 72 FF FE E9 00 74 00", "ét"},
		"a long length":               {"C1 01 00 00 00 04 54 02 66 72 41", "A"},
		"with a name":                 {"D9 01 04 01 54 78 02 66 72 41", "A"},
		"an address":                  {"D1 01 04 55 04 61 2E 66", "https://a.f"},
		"an address, then text":       {"91 01 04 55 04 61 2E 66 51 01 04 54 02 66 72 41", "A"},
		"two texts":                   {"91 01 04 54 02 66 72 41 51 01 04 54 02 66 72 42", "A"},
		"a language of none":          {"D1 01 02 54 00 41", "A"},
		"line ends":                   {"D1 01 06 54 02 66 72 41 0A 42", "AB"},
		"somebody else's type":        {"D2 01 01 54 41", ""},
		"an empty record":             {"D0 00 00", ""},
		"nothing":                     {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := pcsc.MessageText(unhex(t, tc.message)); got != tc.want || err != nil {
				t.Errorf("text %q, %v, want %q", got, err, tc.want)
			}
		})
	}
	for name, message := range map[string]string{
		"cut short":                 "D1 01 04 54 02 66 72",
		"a length beyond its end":   "C1 01 FF FF FF FF 54 02 66 72 41",
		"no length":                 "D1 01",
		"more after its end":        "D1 01 04 54 02 66 72 41 00",
		"no beginning":              "51 01 04 54 02 66 72 41",
		"no end":                    "91 01 04 54 02 66 72 41",
		"two beginnings":            "91 01 04 54 02 66 72 41 D1 01 04 54 02 66 72 41",
		"in pieces":                 "B1 01 04 54 02 66 72 41",
		"a format that is none":     "D7 01 01 54 41",
		"an empty record with text": "D0 00 01 41",
		"a bit that must not be":    "D1 01 04 54 42 66 72 41",
		"a language beyond its end": "D1 01 04 54 3F 66 72 41",
		"a language with accents":   "D1 01 04 54 02 E9 72 41",
		"no UTF-8":                  "D1 01 04 54 02 66 72 FF",
		"half a UTF-16 letter":      "D1 01 04 54 82 66 72 41",
		"half a UTF-16 pair":        "D1 01 05 54 82 66 72 D8 00",
		"a text of nothing":         "D1 01 00 54",
		"an address that is none":   "D1 01 02 55 24 41",
		"longer than is read":       "C1 01 00 00 08 00 54" + strings.Repeat("00", 2048),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := pcsc.MessageText(unhex(t, message)); err == nil {
				t.Errorf("text %q and no error", got)
			}
		})
	}
}

func TestFindMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		memory, want string
		more         bool
	}{
		"alone":               {"03 02 AA BB FE", "AABB", false},
		"behind locks":        {"00 01 03 A0 0C 34 02 01 00 03 01 AA FE", "AA", false},
		"a long length":       {"03 FF 00 02 AA BB", "AABB", false},
		"not all there":       {"03 02 AA", "", true},
		"no length yet":       {"00 03", "", true},
		"half a long length":  {"03 FF 00", "", true},
		"none":                {"FE 03 01 AA", "", false},
		"only padding":        {"00 00", "", true},
		"longer than is read": {"03 FF FF FF", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, more := pcsc.FindMessage(unhex(t, tc.memory))
			if !bytes.Equal(got, unhex(t, tc.want)) || more != tc.more {
				t.Errorf("message %X, more %t", got, more)
			}
		})
	}
}

// A card may answer anything: reading it ends, and never fails for what it
// says, but for saying nothing or refusing half-way.
func FuzzReadText(f *testing.F) {
	f.Add([]byte("\x06\xe1\x10\x12\x00\x90\x00"), false)
	f.Add([]byte("\x02\x90\x00\x02\x90\x00\x11\x00\x0f\x20\x00\x3b\x00\x34\x04\x06\xe1\x04\x04\x00\x00\xff\x90\x00"), true)
	f.Fuzz(func(t *testing.T, answers []byte, four bool) {
		kind := pcsc.TypeTwo
		if four {
			kind = pcsc.TypeFour
		}
		asked := 0
		text, _ := pcsc.ReadText(kind, func(command []byte) ([]byte, error) {
			if asked++; asked > 2100 {
				t.Fatal("asks for ever")
			}
			if len(answers) == 0 {
				return []byte{0, 0x90, 0x00}, nil
			}
			n := min(1+int(answers[0]), len(answers))
			answer := answers[1:n]
			answers = answers[n:]
			return answer, nil
		})
		if !utf8.ValidString(text) || len(text) > 3*2048 {
			t.Errorf("text %q", text)
		}
	})
}

func FuzzNDEF(f *testing.F) {
	for _, s := range []string{"D101085402667 2C3A974C3A9", "910104550461 2E66510104540266 7241", "C101FFFFFFFF54", "D10107548266 7200E90074"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := pcsc.MessageText(b)
		if err != nil && text != "" || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\n\x1b\u202e") {
			t.Errorf("text %q, %v", text, err)
		}
		if message, more := pcsc.FindMessage(b); more && message != nil || len(message) > len(b) {
			t.Errorf("message %X, more %t", message, more)
		}
	})
}

func FuzzATR(f *testing.F) {
	for _, s := range []string{ntag, classic, desfire, vitale, "3BF81300008131FE454A434F5076323431B7"} {
		f.Add(unhex(f, s), "Virtual PCD 00 00")
	}
	f.Fuzz(func(t *testing.T, atr []byte, name string) {
		is := pcsc.Contactless(atr, name)
		if is && !(len(atr) >= 5 && atr[0] == 0x3B && atr[1]>>4 == 8 && atr[2] == 0x80 && atr[3] == 0x01) {
			t.Errorf("%X in %q passes for contactless", atr, name)
		}
		pcsc.TagOf(atr)
	})
}
