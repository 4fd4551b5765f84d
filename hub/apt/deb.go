package apt

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// ErrPackage says that a file is no Debian package that a borne could install.
var ErrPackage = errors.New("paquet Debian refusé")

// mostControl is the most bytes that a package's control archive may have, unpacked.
const mostControl = 16 << 20

// control is what a package says of itself. Words: Debian Policy, chapter 5.
type control struct {
	Package, Version, Architecture string
	Text                           string // the whole file, without an empty line at its end
}

var (
	packageNames = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]{1,99}$`)
	versionForm  = regexp.MustCompile(`^([0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]{0,99}$`)
	architecture = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,29}$`)
)

// readControl reads the control file of a .deb (deb(5)).
func readControl(deb []byte) (control, error) {
	name, archive, err := controlArchive(deb)
	if err != nil {
		return control{}, err
	}
	plain, err := unpacker(name, archive)
	if err != nil {
		return control{}, fmt.Errorf("%w : %s : %w", ErrPackage, name, err)
	}
	files := tar.NewReader(io.LimitReader(plain, mostControl))
	for {
		head, err := files.Next()
		if err != nil {
			return control{}, fmt.Errorf("%w : %s : fichier « control » introuvable (%w)", ErrPackage, name, err)
		}
		if path.Clean(head.Name) != "control" {
			continue
		}
		text, err := io.ReadAll(files)
		if err != nil {
			return control{}, fmt.Errorf("%w : %s : %w", ErrPackage, name, err)
		}
		return parseControl(string(text))
	}
}

// An archive of ar(5) begins with its magic; each member has a header of text.
const (
	arMagic  = "!<arch>\n"
	arHeader = 60
)

// controlArchive finds the second member of a .deb. The one library at hand for
// ar(5) panics on damaged headers, which whoever publishes could bring.
func controlArchive(deb []byte) (name string, data []byte, err error) {
	rest, ok := bytes.CutPrefix(deb, []byte(arMagic))
	if !ok {
		return "", nil, fmt.Errorf("%w : ce n’est pas un fichier .deb", ErrPackage)
	}
	for _, want := range []string{"debian-binary", "control.tar"} {
		if len(rest) < arHeader || string(rest[58:60]) != "`\n" {
			return "", nil, fmt.Errorf("%w : archive abîmée ou incomplète", ErrPackage)
		}
		name = strings.TrimRight(string(rest[:16]), " /")
		size, err := strconv.ParseUint(strings.TrimSpace(string(rest[48:58])), 10, 32)
		if err != nil || size > uint64(len(rest)-arHeader) {
			return "", nil, fmt.Errorf("%w : archive abîmée ou incomplète, à « %s »", ErrPackage, name)
		}
		if !strings.HasPrefix(name, want) {
			return "", nil, fmt.Errorf("%w : « %s » à la place de « %s »", ErrPackage, name, want)
		}
		data, rest = rest[arHeader:arHeader+size], rest[arHeader+size:]
		rest = rest[min(int(size%2), len(rest)):]
	}
	return name, data, nil
}

// unpacker undoes the compression that the name of an archive tells.
func unpacker(name string, data []byte) (io.Reader, error) {
	r := bytes.NewReader(data)
	switch path.Ext(name) {
	case ".tar":
		return r, nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return xz.NewReader(r)
	case ".zst":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostControl))
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	return nil, errors.New("compression inconnue")
}

// parseControl takes the one paragraph of a control file apart.
func parseControl(text string) (control, error) {
	c := control{Text: strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")}
	for line := range strings.Lines(c.Text) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" {
			return c, fmt.Errorf("%w : le fichier « control » a plusieurs paragraphes", ErrPackage)
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "package":
			c.Package = value
		case "version":
			c.Version = value
		case "architecture":
			c.Architecture = value
		case "filename", "size", "sha256", "sha1", "md5sum":
			return c, fmt.Errorf("%w : le champ « %s » n’a pas sa place dans « control »", ErrPackage, name)
		}
	}
	for field, ok := range map[string]bool{
		"Package": packageNames.MatchString(c.Package), "Version": versionForm.MatchString(c.Version),
		"Architecture": architecture.MatchString(c.Architecture),
	} {
		if !ok {
			return c, fmt.Errorf("%w : champ « %s » absent ou mal formé dans « control »", ErrPackage, field)
		}
	}
	return c, nil
}
