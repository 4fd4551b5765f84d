package store

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"
)

// run is one run of a borne's agent: what it has told last, and how often it
// has come back after another run had followed it.
type run struct {
	_       struct{} `cbor:",toarray"`
	ID      []byte
	Seq     uint64
	Returns int
}

// runs are the last ones of a borne, the current one last.
type runs []run

// maxRuns is how many runs are remembered: an agent that is restarted again and
// again must not make the hub forget the other machine at once.
const maxRuns = 8

// verdict says what a report is, by its run and number.
type verdict int

const (
	fresh    verdict = iota // of the current run, or of a new one
	replayed                // it was there already
	late                    // of a run that another has followed, for the first time: perhaps it was long on the way
	cloned                  // for the second time: that run goes on, so there are two machines
)

// take notes a report. An agent sends one report at a time, so when it is
// restarted at most one of its last run may still be on the way: a run that
// comes back twice is alive, beside the one that had followed it.
func (r *runs) take(id []byte, seq uint64) verdict {
	all := *r
	for i := range all {
		if !bytes.Equal(all[i].ID, id) {
			continue
		}
		if seq <= all[i].Seq {
			return replayed
		}
		all[i].Seq = seq
		if i == len(all)-1 {
			return fresh
		}
		all[i].Returns++
		if all[i].Returns == 1 {
			return late
		}
		back := all[i]
		*r = append(append(all[:i:i], all[i+1:]...), back)
		return cloned
	}
	all = append(all, run{ID: bytes.Clone(id), Seq: seq})
	*r = all[max(0, len(all)-maxRuns):]
	return fresh
}

func encode(v any) ([]byte, error) { return cbor.Marshal(v) }

func decode(data []byte, v any) error { return cbor.Unmarshal(data, v) }
