package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
)

// CommandState is how far a command has come.
type CommandState string

// The states of a command; the last ones are final.
const (
	Waiting CommandState = "waiting" // the borne has not heard it
	Sent    CommandState = "sent"    // the borne was told; it may be told again
	Done    CommandState = "done"
	Refused CommandState = "refused"
	Failed  CommandState = "failed"
	Expired CommandState = "expired" // the borne did not come in time; should it say later what it did, that counts
)

// Command is what somebody told a borne to do, and what became of it.
type Command struct {
	link.Command
	Borne   string
	By      string // who gave it: a person's ID
	Created time.Time
	Sent    time.Time // zero: not yet
	State   CommandState
	Why     string
	Ended   time.Time // zero: not yet
	HasFile bool
}

const selectCommand = `SELECT c.id, c.borne, c.kind, c.args, c.person, c.created, c.expires, c.sent, c.state, c.why, c.ended,
	CASE WHEN f.command IS NULL THEN 0 ELSE 1 END
	FROM command c LEFT JOIN command_file f ON f.command = c.id `

func scanCommand(row scanner) (c Command, err error) {
	var id, args string
	var created, sent, ended, hasFile int64
	err = row.Scan(&id, &c.Borne, &c.Kind, &args, &c.By, &created, &c.Expires, &sent, &c.State, &c.Why, &ended, &hasFile)
	if err != nil {
		return c, err
	}
	c.Created, c.Sent, c.Ended, c.HasFile = at(created), at(sent), at(ended), hasFile == 1
	c.ID, err = uuid.Parse(id)
	return c, errors.Join(err, json.Unmarshal([]byte(args), &c.Args))
}

// PutCommand keeps a command for a borne and tells every hub. Errors:
// ErrNotFound for a borne that isn't there or is revoked, ErrExists for an ID
// that is taken.
func (s *Store) PutCommand(ctx context.Context, c Command) error {
	if c.ID == uuid.Nil || c.Kind == "" || c.Expires <= 0 {
		return errors.New("commande sans identifiant, sans nature ou sans échéance")
	}
	args, err := json.Marshal(c.Args)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := one(ctx, tx, scanOne[string], `SELECT id FROM borne WHERE id = $1 AND revoked = 0`, c.Borne)
		if err != nil {
			return nil, err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO command
			(id, borne, kind, args, person, created, expires, sent, state, why, ended)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, '', 0) ON CONFLICT DO NOTHING`,
			c.ID.String(), c.Borne, string(c.Kind), string(args), text(c.By), ms(c.Created), c.Expires, string(Waiting))
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return nil, errors.Join(err, ErrExists)
		}
		return []Event{{Commanded, c.Borne}}, nil
	})
}

// TakeCommands gives what a borne is to do, oldest first: what it has not
// ended, and what has not expired at now. It marks them as sent. Until a
// command has ended it is given each time.
func (s *Store) TakeCommands(ctx context.Context, borne string, now time.Time) ([]Command, error) {
	commands, err := all(ctx, s.read, scanCommand, selectCommand+`WHERE c.borne = $1 AND c.ended = 0 AND c.expires > $2
		ORDER BY c.created, c.id`, borne, ms(now))
	if err != nil {
		return nil, s.explain(err)
	}
	news := false
	for i := range commands {
		if commands[i].State == Waiting {
			news = true
			commands[i].State, commands[i].Sent = Sent, at(ms(now))
		}
	}
	if !news {
		return commands, nil
	}
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		for _, c := range commands {
			_, err := tx.ExecContext(ctx, `UPDATE command SET state = $1, sent = $2 WHERE id = $3 AND state = $4`,
				string(Sent), ms(now), c.ID.String(), string(Waiting))
			if err != nil {
				return nil, err
			}
		}
		return []Event{{Reported, borne}}, nil
	})
	if err != nil {
		return nil, err
	}
	return commands, nil
}

// EndCommand notes what became of a command, with its file, and tells every
// hub. A second outcome for the same command changes nothing. Errors:
// ErrNotFound for a command that is not this borne's.
func (s *Store) EndCommand(ctx context.Context, borne string, id uuid.UUID, o link.Outcome, now time.Time) error {
	switch o.State {
	case link.Done, link.Refused, link.Failed:
	default:
		return fmt.Errorf("commande %s : « %s » n’est pas une issue", id, text(string(o.State)))
	}
	if len(o.File) > link.MaxFile {
		return fmt.Errorf("commande %s : fichier de %d octets ; le plus grand en a %d", id, len(o.File), link.MaxFile)
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := one(ctx, tx, scanOne[string], `SELECT id FROM command WHERE id = $1 AND borne = $2`, id.String(), borne)
		if err != nil {
			return nil, err
		}
		err = mustAffect(tx.ExecContext(ctx, `UPDATE command SET state = $1, why = $2, ended = $3
			WHERE id = $4 AND (ended = 0 OR state = $5)`,
			string(o.State), text(o.Why), ms(now), id.String(), string(Expired)))
		if errors.Is(err, ErrNotFound) {
			return nil, nil // it had an outcome
		}
		if err != nil {
			return nil, err
		}
		if len(o.File) > 0 {
			_, err = tx.ExecContext(ctx, `INSERT INTO command_file (command, file_type, data) VALUES ($1, $2, $3)`,
				id.String(), text(o.FileType), o.File)
		}
		return []Event{{Ended, borne}}, err
	})
}

// patience is how long after its end in time a command that a borne has taken
// may still be under way.
const patience = 10 * time.Minute

// ExpireCommands ends all commands that nobody came for in time, and those that
// a borne has taken and not come back about, and tells.
func (s *Store) ExpireCommands(ctx context.Context, now time.Time) error {
	type late struct {
		id, borne string
		state     CommandState
	}
	scan := func(row scanner) (l late, err error) { return l, row.Scan(&l.id, &l.borne, &l.state) }
	find := func(db queryer) ([]late, error) {
		return all(ctx, db, scan, `SELECT id, borne, state FROM command
			WHERE ended = 0 AND (expires <= $1 OR expires <= $2 AND state = $3)`,
			ms(now.Add(-patience)), ms(now), string(Waiting))
	}
	if found, err := find(s.read); err != nil || len(found) == 0 { // as most times: nothing to write
		return s.explain(err)
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		found, err := find(tx)
		if err != nil {
			return nil, err
		}
		var events []Event
		for _, l := range found {
			why := "La borne n’est pas venue la chercher à temps."
			if l.state == Sent {
				why = "La borne l’a reçue et n’a pas dit à temps ce qu’elle en a fait."
			}
			_, err := tx.ExecContext(ctx, `UPDATE command SET state = $1, why = $2, ended = $3 WHERE id = $4`,
				string(Expired), why, ms(now), l.id)
			if err != nil {
				return nil, err
			}
			events = append(events, Event{Ended, l.borne})
		}
		return events, nil
	})
}

// Commands lists the last commands of a borne, newest first.
func (s *Store) Commands(ctx context.Context, borne string, limit int) ([]Command, error) {
	commands, err := all(ctx, s.read, scanCommand, selectCommand+`WHERE c.borne = $1
		ORDER BY c.created DESC, c.id DESC LIMIT $2`, borne, max(0, limit))
	return commands, s.explain(err)
}

// CommandFile returns the file that a command has brought. Errors: ErrNotFound.
func (s *Store) CommandFile(ctx context.Context, borne string, id uuid.UUID) (fileType string, data []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT f.file_type, f.data FROM command_file f
		JOIN command c ON c.id = f.command WHERE c.id = $1 AND c.borne = $2`, id.String(), borne).Scan(&fileType, &data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return fileType, data, s.explain(err)
}

// LastScreenshot returns the newest picture of a borne's screen. Errors: ErrNotFound.
func (s *Store) LastScreenshot(ctx context.Context, borne string) (Command, error) {
	c, err := one(ctx, s.read, scanCommand, selectCommand+`WHERE c.borne = $1 AND c.kind = $2 AND f.command IS NOT NULL
		ORDER BY c.ended DESC, c.id DESC LIMIT 1`, borne, string(link.Screenshot))
	return c, s.explain(err)
}

// DropFiles removes the files of commands that ended before a time: pictures
// and logs are for the moment. Only the newest screenshot of a borne stays.
func (s *Store) DropFiles(ctx context.Context, before time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM command_file WHERE command IN (
			SELECT c.id FROM command c JOIN command_file f ON f.command = c.id
			WHERE c.ended < $1 AND NOT (c.kind = $2 AND NOT EXISTS (
				SELECT 1 FROM command n JOIN command_file g ON g.command = n.id
				WHERE n.borne = c.borne AND n.kind = c.kind AND (n.ended > c.ended OR n.ended = c.ended AND n.id > c.id))))`,
			ms(before), string(link.Screenshot))
		return nil, err
	})
}
