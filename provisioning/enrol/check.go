package enrol

import (
	"errors"
	"fmt"
)

// The check signs make three sums over all signs zero, in the field of 32
// elements: that of the signs, and those of the signs times the coordinates of
// a point that each place has of its own. One altered sign alone changes the
// first sum, and the other two then tell its place (a Hamming code); two
// neighbours swapped leave the first sum and change the others.

// point is what the sign at place i is multiplied with. The last three places,
// those of the check signs, have (0, 1), (31, 0) and (30, 0).
func point(i int) (x, y byte) {
	j := codeSigns - 1 - i + 30
	return byte(j & 31), byte(j >> 5)
}

// times multiplies two elements of the field, modulo x⁵+x²+1.
func times(a, b byte) byte {
	var p byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		a <<= 1
		if a&32 != 0 {
			a ^= 0b100101
		}
	}
	return p
}

type sums struct{ s, x, y byte }

func sum(signs *[codeSigns]byte) (total sums) {
	for i, c := range signs {
		x, y := point(i)
		total.s ^= c
		total.x ^= times(c, x)
		total.y ^= times(c, y)
	}
	return total
}

// addCheck fills in the last three signs, which must be 0 before.
func addCheck(signs *[codeSigns]byte) {
	d := sum(signs)
	last := d.x ^ times(30, d.s^d.y) // of 31·last + 30·(s+y+last) = x, as 31+30 = 1
	signs[dataSigns] = d.y
	signs[dataSigns+1] = last
	signs[dataSigns+2] = d.s ^ d.y ^ last
}

// check tells whether all sums are zero, and if not, where somebody should look.
func check(signs *[codeSigns]byte) error {
	d := sum(signs)
	if d == (sums{}) {
		return nil
	}
	for i := range signs {
		x, y := point(i)
		if d.s != 0 && times(d.s, x) == d.x && times(d.s, y) == d.y {
			return fmt.Errorf("%s semble faux", place(i))
		}
	}
	for i := range codeSigns - 1 {
		e := signs[i] ^ signs[i+1]
		x1, y1 := point(i)
		x2, y2 := point(i + 1)
		if d.s == 0 && e != 0 && times(e, x1^x2) == d.x && times(e, y1^y2) == d.y {
			return fmt.Errorf("%s et le suivant semblent inversés", place(i))
		}
	}
	return errors.New("plusieurs signes sont faux")
}
