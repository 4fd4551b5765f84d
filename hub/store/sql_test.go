package store

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// SQLite numbers $1, $2 … in the order in which they first appear, whatever
// they are called; PostgreSQL goes by their number. Both mean the same only
// where the two orders agree, so every text of SQL in this package is looked at.
func TestPlaceholdersAppearInOrder(t *testing.T) {
	texts := statements(t)
	if len(texts) < 60 {
		t.Fatalf("only %d statements found: does the test still see them?", len(texts))
	}
	for where, text := range texts {
		if err := inOrder(text); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
		if strings.Contains(text, "?") {
			t.Errorf("%s: a placeholder that PostgreSQL doesn't know\n%s", where, text)
		}
	}
	for rows := 1; rows <= 64; rows *= 2 {
		if err := inOrder(values(rows, 13)); err != nil {
			t.Errorf("values(%d, 13): %v", rows, err)
		}
	}
}

// The test above is only worth something if it can fail.
func TestInOrder(t *testing.T) {
	for text, want := range map[string]bool{
		`SELECT 1`:                                 true,
		`SELECT $1, $2, $1, $3, $10`:               false,
		`UPDATE t SET a = $1 WHERE b = $2`:         true,
		`UPDATE t SET a = $2 WHERE b = $1`:         false,
		`SELECT $1 WHERE a = $1 AND b = $3`:        false,
		`SELECT $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$3`: true,
	} {
		if got := inOrder(text) == nil; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

var numbered = regexp.MustCompile(`\$(\d+)`)

func inOrder(text string) error {
	last := 0
	for _, found := range numbered.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil {
			return err
		}
		if n > last+1 {
			return fmt.Errorf("$%d appears before $%d", n, last+1)
		}
		last = max(last, n)
	}
	return nil
}

var verb = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// statements finds every text of SQL in the package: string expressions that
// begin with a verb, put together from their parts.
func statements(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	var parsed []*ast.File
	constants := make(map[string]ast.Expr)
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, file)
			collectConstants(file, constants)
		}
	}
	texts := make(map[string]string)
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			expr, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text := textOf(expr, constants)
			if !verb.MatchString(text) {
				return true
			}
			texts[files.Position(expr.Pos()).String()+" "+fmt.Sprint(expr.End())] = text
			_, whole := expr.(*ast.BinaryExpr)
			return !whole // its parts are no statements by themselves
		})
	}
	return texts
}

func collectConstants(file *ast.File, into map[string]ast.Expr) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			value := spec.(*ast.ValueSpec)
			for i, name := range value.Names {
				if i < len(value.Values) {
					into[name.Name] = value.Values[i]
				}
			}
		}
	}
}

// textOf is the text of a string expression; of a part that is only known at
// run time, nothing.
func textOf(expr ast.Expr, constants map[string]ast.Expr) string {
	switch e := expr.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if text, err := strconv.Unquote(e.Value); err == nil {
				return text
			}
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return textOf(e.X, constants) + textOf(e.Y, constants)
		}
	case *ast.ParenExpr:
		return textOf(e.X, constants)
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return textOf(value, constants)
		}
	}
	return ""
}

func TestPutRowsChunks(t *testing.T) {
	for n, want := range map[int][]int{1: {1}, 3: {2, 1}, 64: {64}, 100: {64, 32, 4}, 200: {64, 64, 64, 8}} {
		var got []int
		for left := n; left > 0; {
			c := chunk(left)
			got, left = append(got, c), left-c
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d rows go in %v", n, got)
		}
	}
}
