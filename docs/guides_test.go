// Package docs_test holds the guides to what the programs say and do.
package docs_test

import (
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"parvis/docs"
)

// widest is how wide a picture of a guide may be, in pixels.
const widest = 900

// mostSteps is how many steps any list of the guide to putting a borne into
// service may have.
const mostSteps = 4

// others is what other people's programs say.
var others = []string{"connection refused", "i/o timeout", "no such host", "network is unreachable", "no route to host", "no_pubkey", "expired", "unmet dependencies",
	"ssl certificate problem", "serveur ssh", "no bootable device", "legacy", "csm"}

// quoting are the guides, and which of their words between quotes must be a
// program's own: those that begin a line of a table, or all.
var quoting = map[string]*regexp.Regexp{
	"it/mise-en-service.md": regexp.MustCompile(`(?m)^.*$`),
	"it/pannes.md":          regexp.MustCompile(`(?m)^\| [^|]*\|`),
	"it/mises-a-jour.md":    regexp.MustCompile(`(?m)^\| [^|]*\|`),
	"it/contenus.md":        regexp.MustCompile(`(?m)^\| [^|]*\|`),
	"it/image.md":           regexp.MustCompile(`(?m)^\| [^|]*\|`),
}

// Words that a guide has between quotes are the programs' own, so that somebody
// who reads them on a borne finds them in the guide. "…" stands for what differs.
func TestQuotedWords(t *testing.T) {
	t.Parallel()
	said := plain(sources(t))
	for guide, where := range quoting {
		for _, line := range where.FindAllString(read(t, guide), -1) {
			for _, quote := range quotes(line) {
				for part := range strings.SplitSeq(plain(quote), "…") {
					part = strings.Trim(part, " .,")
					if !slices.Contains(others, part) && !says(said, part) {
						t.Errorf("%s: no program says %q", guide, part)
					}
				}
			}
		}
	}
}

// says reports whether a text holds the words, or all that an error's words are
// joined of.
func says(text, words string) bool {
	if strings.Contains(text, words) {
		return true
	}
	before, after, joined := strings.Cut(words, " : ")
	return joined && strings.Contains(text, before) && says(text, after)
}

// quotes are what stands between « and » in a line; quotes within quotes are
// part of what is around them.
func quotes(line string) []string {
	var found []string
	depth, from := 0, 0
	for i, r := range line {
		switch r {
		case '«':
			if depth++; depth == 1 {
				from = i + len("«")
			}
		case '»':
			if depth--; depth == 0 {
				found = append(found, strings.TrimFunc(line[from:i], unicode.IsSpace))
			}
		}
	}
	return found
}

var (
	blanks   = regexp.MustCompile(`[\s\x{00a0}\x{202f}]+|\\u00a0|&nbsp;`)
	joined   = regexp.MustCompile("[\"`] \\+ [\"`]")
	verbs    = regexp.MustCompile(`%[a-z+]`)
	variable = regexp.MustCompile(`\{\{[^}]*\}\}|\$[A-Za-z_]+|\$\([^)]*\)`)
)

// plain is text as it is compared: without what differs between a source and a
// screen.
func plain(text string) string {
	text = joined.ReplaceAllString(blanks.ReplaceAllString(text, " "), "")
	text = variable.ReplaceAllString(verbs.ReplaceAllString(text, "…"), "…")
	return strings.ToLower(strings.NewReplacer("'", "’", "`", "", "**", "").Replace(text))
}

// sources is all that people may read of a program of ours.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != ".." && (strings.HasPrefix(name, ".") || slices.Contains([]string{"bin", "dist", "docs", "run", "e2e"}, name)) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, "_test.go") || !d.Type().IsRegular() {
			return nil
		}
		kind := filepath.Ext(name)
		if slices.Contains([]string{".go", ".html", ".sh", ".toml"}, kind) || kind == "" && strings.Contains(path, "usr/lib/parvis") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all.Write(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Every link of a guide leads somewhere, and every picture is there and not too
// wide.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)
	for _, guide := range guides(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, guide), -1) {
			to := m[1] + m[2]
			if strings.Contains(to, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(to, "#")
			path := filepath.Join(filepath.Dir(guide), file)
			if file == "" {
				path = guide
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s leads nowhere", guide, to)
				continue
			}
			if _, err := fs.Stat(docs.Guides, guide); err == nil {
				if _, err := fs.Stat(docs.Guides, path); err != nil {
					t.Errorf("%s: %s leads nowhere in the console", guide, to)
				}
			}
			if anchor != "" && !slices.Contains(anchors(read(t, path)), anchor) {
				t.Errorf("%s: %s has no chapter #%s", guide, path, anchor)
			}
		}
	}
	pictures, err := filepath.Glob("it/images/*.png")
	if err != nil || len(pictures) == 0 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	for _, picture := range pictures {
		f, err := os.Open(picture)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if config, err := png.DecodeConfig(f); err != nil || config.Width > widest {
			t.Errorf("%s is %d pixels wide, over %d (%v)", picture, config.Width, widest, err)
		}
	}
}

// guides are all pages for people.
func guides(t *testing.T) []string {
	t.Helper()
	all := []string{"../README.md", "../CONTRIBUTING.md"}
	for _, pattern := range []string{"*.md", "it/*.md", "agents/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// anchors are the names that a page's chapters have on the web.
func anchors(text string) []string {
	var names []string
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		title := strings.TrimSpace(strings.TrimLeft(line, "#"))
		if fenced || !strings.HasPrefix(line, "#") {
			continue
		}
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title))
	}
	return names
}

// A borne is in service in few steps, and by one command on a Debian.
func TestSteps(t *testing.T) {
	t.Parallel()
	text := read(t, "it/mise-en-service.md")
	step := regexp.MustCompile(`(?m)^(\d)\. `)
	lists := 0
	for chapter := range strings.SplitSeq(text, "\n## ") {
		steps := len(step.FindAllString(chapter, -1))
		if steps > mostSteps {
			t.Errorf("%d steps in the chapter %q", steps, strings.SplitN(chapter, "\n", 2)[0])
		}
		if steps > 0 {
			lists++
		}
	}
	if lists < 3 {
		t.Errorf("steps in %d chapters, want the two ways and the last look", lists)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
