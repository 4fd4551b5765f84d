package storetest

import (
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers of both databases
	_ "github.com/mattn/go-sqlite3"
)

// Past opens a database past the store, for what no hub would do: it is closed
// at the end of the test.
func Past(t testing.TB, dsn string) (db *sql.DB, postgres bool) {
	t.Helper()
	driver, name := "sqlite3", "file:"+dsn+"?_busy_timeout=10000"
	if postgres = strings.HasPrefix(dsn, "postgres:"); postgres {
		driver, name = "pgx", dsn
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, postgres
}

// FillCallbacks puts requests to be called back into a database whose schema is
// there: of ten, six wait, two are held by somebody and two are closed; one in
// a hundred has an appointment. All are
// of the borne MN-01; one in fifty is of the site "meinau", the others are of
// "neudorf"; one in a thousand is in Turkish, and two at a time are of one
// resident.
func FillCallbacks(t testing.TB, dsn, holder string, requests int) {
	t.Helper()
	db, postgres := Past(t, dsn)
	data := make([]byte, 2310) // as large as they are
	if postgres {
		data = data[:300] // it puts larger ones elsewhere
	}
	rand.Read(data)
	do := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	count := `WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i - 1 FROM n WHERE i > 1)`
	id := `'019aa600-0000-7000-8000-' || CAST(100000000000 + i AS TEXT)`
	do(count+` INSERT INTO callback (id, borne, code, created, received, data, state, revision, labelled, topic, lang, site,
			slots, deadline, due, holder, closed)
		SELECT `+id+`, 'MN-01', 'K7M4HE', 1000 * i, 1000 * i, $2,
			CASE WHEN i % 10 < 6 THEN 'waiting' WHEN i % 100 = 7 THEN 'appointment' WHEN i % 10 < 8 THEN 'claimed' ELSE 'closed' END, 1, 1, 'logement',
			CASE WHEN i % 1000 = 0 THEN 'tr' ELSE 'fr' END, CASE WHEN i % 50 = 0 THEN 'meinau' ELSE 'neudorf' END,
			'0-0', 1000 * ((i * 7919) % 100003), 1000, CASE WHEN i % 10 BETWEEN 6 AND 7 THEN CAST($3 AS TEXT) ELSE '' END,
			CASE WHEN i % 10 >= 8 THEN 1000 * i ELSE 0 END FROM n`, requests, data, holder)
	same := `CAST(CAST(i / 2 AS TEXT) AS BLOB)`
	if postgres {
		same = `convert_to(CAST(i / 2 AS TEXT), 'UTF8')`
	}
	do(count+` INSERT INTO callback_key (id, key, same) SELECT `+id+`, $2, `+same+` FROM n`, requests, data[:32])
	if postgres {
		do(`VACUUM ANALYZE`) // as the server does by itself in time
	}
}
