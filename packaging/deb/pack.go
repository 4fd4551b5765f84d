package main

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
)

const folder = "packaging/deb"

// pack is one package for one architecture.
type pack struct {
	name     string
	arch     string
	source   source
	programs string // folder with the package's programs
	host     string // the same programs, for this machine
	stage    string // folder for what is made on the way
}

// write writes the package into the folder out and returns the file's path.
func (p *pack) write(ctx context.Context, out string) (string, error) {
	if err := os.MkdirAll(p.stage, 0o755); err != nil {
		return "", err
	}
	libraries, err := p.libraries(ctx)
	if err != nil {
		return "", err
	}
	if err := p.document(ctx); err != nil {
		return "", err
	}
	vars := map[string]string{
		"VERSION": p.source.version, "ARCH": p.arch, "PROGRAMS": p.programs, "STAGE": p.stage,
		"LIBRARIES": libraries,
	}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(folder, p.name+".yaml"), func(name string) string { return vars[name] })
	if err != nil {
		return "", err
	}
	if p.name == "parvis-borne" {
		mirrored, err := mirror("packaging/kiosk/root")
		if err != nil {
			return "", err
		}
		config.Contents = append(config.Contents, mirrored...)
		kiosk, err := kioskDepends(ctx)
		if err != nil {
			return "", err
		}
		config.Depends = append(config.Depends, kiosk...)
	}
	config.Depends = once(config.Depends)
	config.MTime = p.source.time
	if err := p.scripts(&config.Info); err != nil {
		return "", err
	}
	info, err := config.Get("deb")
	if err != nil {
		return "", err
	}
	file := filepath.Join(out, deb.Default.ConventionalFileName(info))
	w, err := os.Create(file)
	if err != nil {
		return "", err
	}
	return file, errors.Join(deb.Default.Package(info, w), w.Close())
}

// mirror lists a folder's files. What lies under /etc is a setting that IT may
// change: an upgrade keeps it. Git knows of a file's mode only whether it is a
// program.
func mirror(root string) (files.Contents, error) {
	var all files.Contents
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		dst := strings.TrimPrefix(filepath.ToSlash(name), root)
		c := &files.Content{Source: name, Destination: dst, FileInfo: &files.ContentFileInfo{Mode: 0o644}}
		all = append(all, c)
		if strings.HasPrefix(dst, "/etc/") {
			c.Type = files.TypeConfig
		}
		info, err := d.Info()
		if err == nil && info.Mode()&0o100 != 0 {
			c.FileInfo.Mode = 0o755
		}
		return err
	})
	return all, err
}

// kioskDepends are the packages that the kiosk session needs, one a line.
// Essential ones are on every machine; lintian wants them left out.
func kioskDepends(ctx context.Context) ([]string, error) {
	text, err := os.ReadFile("packaging/kiosk/depends.txt")
	if err != nil {
		return nil, err
	}
	essential, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Package} ${Essential}\n").Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg-query: %w", err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, "#")
		name = strings.TrimSpace(name)
		if name != "" && !strings.Contains("\n"+string(essential), "\n"+name+" yes\n") {
			all = append(all, name)
		}
	}
	return all, nil
}

// once names each package once, as it was named first.
func once(depends []string) []string {
	seen := map[string]bool{}
	var all []string
	for _, depend := range strings.Split(strings.Join(depends, ","), ",") {
		depend = strings.TrimSpace(depend)
		name, _, _ := strings.Cut(depend, " ")
		if name != "" && !seen[name] {
			all = append(all, depend)
		}
		seen[name] = true
	}
	return all
}

// libraries are the Debian packages of the libraries that the programs are
// linked to. Debian's tool tells them for this machine's programs; another
// architecture's must need the same ones.
func (p *pack) libraries(ctx context.Context) (string, error) {
	dir := filepath.Join(p.stage, "shlibs")
	control := "Source: parvis\n\nPackage: " + p.name + "\nArchitecture: any\n"
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "debian"), 0o755),
		os.WriteFile(filepath.Join(dir, "debian/control"), []byte(control), 0o644)); err != nil {
		return "", err
	}
	args := []string{"-O"}
	for _, program := range packages[p.name] {
		here, err := linked(filepath.Join(p.host, program))
		if err != nil {
			return "", err
		}
		there, err := linked(filepath.Join(p.programs, program))
		if err != nil {
			return "", err
		}
		if !slices.Equal(here, there) {
			return "", fmt.Errorf("%s needs %v for %s, but %v for %s", program, there, p.arch, here, hostArch())
		}
		if len(here) > 0 {
			args = append(args, "-e"+filepath.Join(p.host, program))
		}
	}
	cmd := exec.CommandContext(ctx, "dpkg-shlibdeps", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("dpkg-shlibdeps: %s", failed.Stderr)
	} else if err != nil {
		return "", fmt.Errorf("%w (Debian package dpkg-dev)", err)
	}
	_, depends, _ := strings.Cut(strings.TrimSpace(string(out)), "=")
	return depends, nil
}

// linked are the libraries a program is linked to, without two of Debian's
// package libc6: the loader, whose name says the architecture, and libm, which
// not every architecture needs.
func linked(program string) ([]string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	defer f.Close()
	all, err := f.ImportedLibraries()
	all = slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, "ld-linux") || name == "libm.so.6" })
	slices.Sort(all)
	return all, err
}

var (
	installs = regexp.MustCompile(`(?m)^\[Install\]$`)
	passes   = regexp.MustCompile(`(?m)^Type=oneshot$`)
	stays    = regexp.MustCompile(`(?m)^RemainAfterExit=yes$`)
	users    = regexp.MustCompile(`(?m)^u!?\s+(\S+)`)
)

// scripts writes the maintainer scripts: the text they share, after what the
// package itself tells of its units and users. Units that hold a state, such as
// the lock of the USB sockets, are not restarted: it would be another state. Those
// that do one thing and end, such as the upgrade that runs these scripts, are not
// started either.
func (p *pack) scripts(info *nfpm.Info) error {
	var shipped, units, services, states, sysusers, accounts, tmpfiles []string
	for _, c := range info.Contents {
		dir, name := path.Split(c.Destination)
		switch dir {
		case "/usr/lib/systemd/system/":
			text, err := os.ReadFile(c.Source)
			if err != nil {
				return err
			}
			shipped = append(shipped, strings.Replace(name, "@.", "@*.", 1))
			if !installs.Match(text) {
				continue
			}
			units = append(units, name)
			if !passes.Match(text) {
				services = append(services, name)
			} else if stays.Match(text) {
				states = append(states, name)
			}
		case "/usr/lib/sysusers.d/":
			text, err := os.ReadFile(c.Source)
			if err != nil {
				return err
			}
			sysusers = append(sysusers, name)
			for _, m := range users.FindAllSubmatch(text, -1) {
				accounts = append(accounts, string(m[1]))
			}
		case "/usr/lib/tmpfiles.d/":
			tmpfiles = append(tmpfiles, name)
		}
	}
	head := fmt.Sprintf("#!/bin/sh\nset -e\nPACKAGE='%s'\nVERSION='%s'\nSHIPPED='%s'\nUNITS='%s'\nSERVICES='%s'\nSTATES='%s'\nSYSUSERS='%s'\nACCOUNTS='%s'\nTMPFILES='%s'\n",
		p.name, p.source.version, strings.Join(shipped, " "), strings.Join(units, " "), strings.Join(services, " "), strings.Join(states, " "),
		strings.Join(sysusers, " "), strings.Join(accounts, " "), strings.Join(tmpfiles, " "))
	for name, to := range map[string]*string{
		"preinst": &info.Scripts.PreInstall, "postinst": &info.Scripts.PostInstall,
		"prerm": &info.Scripts.PreRemove, "postrm": &info.Scripts.PostRemove,
	} {
		text := head
		parts := []string{name + ".sh", p.name + "." + name + ".sh"}
		if strings.HasSuffix(name, "rm") {
			slices.Reverse(parts) // what was set up last goes first
		}
		for _, part := range parts {
			body, err := os.ReadFile(filepath.Join(folder, part))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return err
			}
			text += "\n" + string(body)
		}
		*to = filepath.Join(p.stage, name)
		if err := os.WriteFile(*to, []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}
