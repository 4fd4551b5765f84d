// Package command holds the commands that IT staff run on a borne. Each is a
// kong command struct with a Run method; cmd/parvis gathers them.
package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Runtime is what a command gets from the program around it.
type Runtime struct {
	Ctx     context.Context
	Stdout  io.Writer
	Stderr  io.Writer
	Now     func() time.Time
	Content fs.FS // the content shipped with the program: demarches/, level.yaml
}

// ExitError makes the program end with the given status after the command has
// already told the user why.
type ExitError int

func (e ExitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// WriteJSON prints v as one JSON document on a line of its own.
func (rt *Runtime) WriteJSON(v any) error {
	enc := json.NewEncoder(rt.Stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
