package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// document makes the package's man pages, its changelog and the licences of
// what is compiled into its programs, in the folder stage.
func (p *pack) document(ctx context.Context) error {
	for _, program := range packages[p.name] {
		page, err := manPage(ctx, filepath.Join(p.host, program), p.source)
		if err != nil {
			return err
		}
		if err := writeGzip(filepath.Join(p.stage, program+".1.gz"), page); err != nil {
			return err
		}
	}
	changelog := fmt.Sprintf("%s (%s) bookworm; urgency=medium\n\n  * Version %s de Parvis. Ses changements sont dans le dépôt des sources.\n\n -- %s  %s\n",
		p.name, p.source.version, p.source.version, maintainer, p.source.time.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	if err := writeGzip(filepath.Join(p.stage, "changelog.gz"), []byte(changelog)); err != nil {
		return err
	}
	licences, err := p.licences(ctx)
	if err != nil {
		return err
	}
	return writeGzip(filepath.Join(p.stage, "licences.gz"), licences)
}

const maintainer = "Les mainteneurs de Parvis <maintainers@example.org>"

// writeGzip compresses as Debian wants it: without time and name.
func writeGzip(file string, text []byte) error {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// manPage is a program's own help as a man page: nothing is said twice.
func manPage(ctx context.Context, program string, s source) ([]byte, error) {
	name := filepath.Base(program)
	help, err := helpOf(ctx, program)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(help, "\n")
	if len(lines) < 3 {
		return nil, fmt.Errorf("%s --help says too little: %q", name, help)
	}
	summary := strings.TrimRight(lines[2], ".")
	var page bytes.Buffer
	fmt.Fprintf(&page, ".TH %s 1 %s \"Parvis %s\" Parvis\n", strings.ToUpper(roff(name)), s.time.Format("2006-01-02"), s.version)
	fmt.Fprintf(&page, ".SH NOM\n%s \\- %s\n", roff(name), roff(summary))
	verbatim(&page, ".SH DESCRIPTION", help)
	if commands := subcommands(help); len(commands) > 0 {
		fmt.Fprintln(&page, ".SH COMMANDES")
		for _, words := range commands {
			help, err := helpOf(ctx, program, words...)
			if err != nil {
				return nil, err
			}
			verbatim(&page, ".SS "+roff(strings.Join(words, " ")), help)
		}
	}
	fmt.Fprintf(&page, ".SH \"VOIR AUSSI\"\nLes guides sont dans /usr/share/doc/%s.\n", s.packageOf(name))
	return page.Bytes(), nil
}

func (source) packageOf(program string) string {
	for name, programs := range packages {
		if slices.Contains(programs, program) {
			return name
		}
	}
	return ""
}

func helpOf(ctx context.Context, program string, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, append(words, "--help")...)
	cmd.Env = []string{"HOME=/nonexistent", "LANG=C.UTF-8"}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %v --help: %w", filepath.Base(program), words, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// subcommands are the commands that a help lists, each as its words: the lines
// indented by two under their heading, up to the first argument.
func subcommands(help string) (all [][]string) {
	listing := false
	for line := range strings.Lines(help) {
		line = strings.TrimRight(line, "\n")
		if line != "" && line[0] != ' ' {
			listing = line == "Commandes :" || line == "Commands:"
			continue
		}
		if !listing || !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "   ") {
			continue
		}
		var words []string
		for _, word := range strings.Fields(line) {
			if strings.ContainsAny(word[:1], "-<[") {
				break
			}
			words = append(words, word)
		}
		all = append(all, words)
	}
	return all
}

func verbatim(page *bytes.Buffer, heading, text string) {
	fmt.Fprintf(page, "%s\n.nf\n", heading)
	for line := range strings.Lines(text) {
		line = roff(strings.TrimRight(line, "\n"))
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		fmt.Fprintln(page, line)
	}
	fmt.Fprintln(page, ".fi")
}

var roff = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace

// licences are the licences of the Go modules that are compiled into the
// package's programs, and of Go itself, which want to go where the programs go.
func (p *pack) licences(ctx context.Context) ([]byte, error) {
	var modules []string
	for _, program := range packages[p.name] {
		info, err := buildinfo.ReadFile(filepath.Join(p.programs, program))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", program, err)
		}
		for _, m := range info.Deps {
			modules = append(modules, m.Path)
		}
	}
	slices.Sort(modules)
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	text.WriteString("Licences des bibliothèques qui font partie des programmes.\n")
	if err := addLicences(&text, "Go", strings.TrimSpace(string(out))); err != nil {
		return nil, err
	}
	if len(modules) == 0 {
		return text.Bytes(), nil
	}
	out, err = exec.CommandContext(ctx, "go", append([]string{"list", "-m", "-f", "{{.Path}}@{{.Version}}\t{{.Dir}}"}, slices.Compact(modules)...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		module, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if err := addLicences(&text, module, dir); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

func addLicences(text *bytes.Buffer, name, dir string) error {
	all, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	found := false
	for _, entry := range all {
		base, _, _ := strings.Cut(strings.ToUpper(entry.Name()), ".")
		if entry.IsDir() || !slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "LICENSE-MIT", "PATENTS", "AUTHORS"}, base) {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		found = true
		fmt.Fprintf(text, "\n==== %s: %s ====\n\n%s\n", name, entry.Name(), bytes.TrimSpace(body))
	}
	if !found {
		fmt.Fprintf(text, "\n==== %s ====\n\n(sans fichier de licence)\n", name)
	}
	return nil
}
