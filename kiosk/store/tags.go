//go:build !sqlite_fts5

package store

// The borne's full-text search needs SQLite's FTS5. Without the build tag a
// program would compile and fail in front of residents, so it must not compile:
// build with -tags sqlite_fts5.
var _ = build_with_tags_sqlite_fts5
