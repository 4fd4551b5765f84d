package place

import (
	"fmt"
	"io"
)

// Check reads a file as Import does, without a directory to put it in: nothing
// is Updated or Removed.
func Check(r io.Reader, name string, reject func(Rejection)) (Report, error) {
	_, report, err := readRows(r, name, reject)
	if err != nil {
		return Report{}, fmt.Errorf("%s : %w", name, err)
	}
	return report, nil
}

// List gives the sound places of a file, which it reads as Import does.
func List(r io.Reader, name string) ([]Place, error) {
	rows, _, err := readRows(r, name, nil)
	if err != nil {
		return nil, fmt.Errorf("%s : %w", name, err)
	}
	all := make([]Place, len(rows.good))
	for i := range rows.good {
		all[i] = rows.good[i].place()
	}
	return all, nil
}
