package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// maxConns is how many connections one hub opens at most, besides the one
// that listens: PostgreSQL gives 100 to all by default.
const maxConns = 16

func (s *Store) openPostgres(ctx context.Context, database string) error {
	s.pg = true
	config, err := pgx.ParseConfig(database)
	if file := new(fs.PathError); errors.As(err, &file) { // sslrootcert, sslcert …
		return fmt.Errorf("base PostgreSQL : le fichier %s, que l’adresse nomme, ne peut pas être lu (%w)", file.Path, file.Err)
	}
	if err != nil {
		// The driver's own words may hold the password.
		return errors.New("base PostgreSQL : l’adresse n’est pas comprise ; elle a la forme " +
			"« postgres://utilisateur:motdepasse@machine:5432/base » (les signes spéciaux du mot de passe s’écrivent %40 pour @, %2F pour /)")
	}
	s.place = "PostgreSQL " + config.Host
	if !strings.HasPrefix(config.Host, "/") {
		s.place = "PostgreSQL " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	}
	s.place += ", base « " + config.Database + " »"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "parvis-hub"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	s.db = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(endWithHub))
	s.db.SetMaxOpenConns(maxConns)
	s.db.SetMaxIdleConns(maxConns / 2)
	s.db.SetConnMaxIdleTime(5 * time.Minute)
	s.read = s.db
	s.config = config
	if err := s.db.PingContext(ctx); err != nil {
		return errors.Join(s.explain(err), s.Close())
	}
	return nil
}

// endWithHub has the server end a transaction whose hub has said nothing for a
// while. A hub that has lost its power in the middle says no goodbye: the rows
// it was writing would stay locked for hours, and all other hubs wait for them.
// It is not set in the address: some proxies of PostgreSQL refuse that.
func endWithHub(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SET idle_in_transaction_session_timeout = '10s'`)
	return err
}

// mayRetry reports whether a transaction met another one and can be done again
// from its beginning: PostgreSQL asks for it.
func mayRetry(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// cannotConnect reports whether no connection could be made.
func cannotConnect(err error) bool {
	var e *pgconn.ConnectError
	return errors.As(err, &e)
}

// serverTrouble says in French what to do about an error of PostgreSQL, or "".
func serverTrouble(err error) string {
	var e *pgconn.PgError
	switch {
	case errors.As(err, &e):
		return stateTrouble(e.Code)
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "le certificat du serveur n’est pas reconnu : dans l’adresse, donnez son autorité (« sslrootcert=… ») et le nom de machine qu’il porte"
	case cannotConnect(err):
		return "le serveur ne répond pas : vérifiez qu’il tourne, l’adresse, le port et le pare-feu"
	}
	return ""
}

func stateTrouble(code string) string {
	switch {
	case code == "28P01":
		return "mot de passe ou utilisateur refusé : vérifiez l’adresse de la base"
	case code == "28000":
		return "le serveur refuse cet utilisateur depuis cette machine : voyez « pg_hba.conf »"
	case code == "3D000":
		return "cette base n’existe pas : créez-la (« createdb »)"
	case code == "53300":
		return "le serveur a trop de connexions : augmentez « max_connections »"
	case code == "57P03":
		return "le serveur démarre ou s’arrête : réessayez dans une minute"
	case code == "42501":
		return "l’utilisateur n’a pas le droit d’écrire dans cette base : donnez-la-lui (« ALTER DATABASE … OWNER TO … »)"
	case code == "25006":
		return "ce serveur est une copie en lecture seule : donnez l’adresse du serveur principal"
	case strings.HasPrefix(code, "53"):
		return "le serveur manque de place ou de mémoire"
	}
	return ""
}
