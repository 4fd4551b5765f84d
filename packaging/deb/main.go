// Command deb builds the Debian packages of Parvis: parvis-borne, parvis-hub
// and parvis-sim. The same sources, version and Debian release give the same
// bytes, wherever the sources lie.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Version  string   `placeholder:"VERSION" help:"Version of the packages and programs; told from git when empty."`
	Arch     []string `default:"amd64" enum:"amd64,arm64" help:"Debian architectures to build for."`
	Package  []string `default:"parvis-borne,parvis-hub,parvis-sim" enum:"parvis-borne,parvis-hub,parvis-sim" help:"Packages to build."`
	Programs string   `type:"existingdir" placeholder:"DIR" help:"Programs built already, to be packed as they are, for one architecture."`
	Out      string   `default:"dist" type:"path" help:"Where the packages go."`
}

// Validate refuses programs that cannot be asked here for their help.
func (c *commands) Validate() error {
	if c.Programs != "" && !slices.Equal(c.Arch, []string{hostArch()}) {
		return errors.New("--programs are of this machine's architecture, and so is --arch then: " + hostArch())
	}
	return nil
}

// packages are what each package brings to /usr/bin.
var packages = map[string][]string{
	"parvis-borne": {"parvis", "parvis-agent"},
	"parvis-hub":   {"parvis-hub"},
	"parvis-sim":   {"parvis-sim"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	kong.Parse(&c, kong.Name("deb"), kong.Description("Builds the Debian packages. Run it in the folder that holds go.mod."))
	if err := c.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "deb:", err)
		os.Exit(1)
	}
}

func (c *commands) run(ctx context.Context) error {
	source, err := readSource(ctx, c.Version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "parvis-deb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	host := filepath.Join(work, hostArch())
	for _, arch := range c.Arch {
		if err := c.programs(ctx, source, arch, filepath.Join(work, arch)); err != nil {
			return err
		}
	}
	// Man pages are what the programs say of themselves, and dependencies what
	// Debian's tool finds in them: both of programs that run here.
	if _, err := os.Stat(host); err != nil {
		if err := c.programs(ctx, source, hostArch(), host); err != nil {
			return err
		}
	}
	for _, name := range c.Package {
		for _, arch := range c.Arch {
			p := pack{name: name, arch: arch, source: source, programs: filepath.Join(work, arch), host: host, stage: filepath.Join(work, name+"-"+arch)}
			file, err := p.write(ctx, c.Out)
			if err != nil {
				return fmt.Errorf("%s for %s: %w", name, arch, err)
			}
			fmt.Println(file)
		}
	}
	return nil
}

// programs builds what the packages asked for need, or copies it from --programs.
func (c *commands) programs(ctx context.Context, s source, arch, dir string) error {
	var names []string
	for _, name := range c.Package {
		names = append(names, packages[name]...)
	}
	if c.Programs != "" {
		return copyPrograms(c.Programs, names, dir)
	}
	return build(ctx, s, arch, names, dir)
}
