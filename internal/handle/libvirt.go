package handle

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
	"golang.org/x/sys/unix"
)

const libvirtTimeout = 15 * time.Second

// dialLibvirt connects to libvirt: to a daemon's local socket if the URI means
// one, otherwise through virsh. The test driver lives in libvirt's C library
// and needs virsh.
func dialLibvirt(ctx context.Context, uri string) (libvirtConn, error) {
	sockets, full, err := libvirtSockets(uri)
	if err != nil {
		return nil, err
	}
	for _, s := range sockets {
		if unix.Access(s, unix.F_OK) != nil {
			continue
		}
		l := libvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(s), dialers.WithLocalTimeout(libvirtTimeout)))
		if err := l.ConnectToURI(libvirt.ConnectURI(full)); err != nil {
			return nil, fmt.Errorf("libvirt at %s: %w", s, err)
		}
		return libvirtSocket{l}, nil
	}
	if _, err := exec.LookPath("virsh"); err != nil {
		if len(sockets) > 0 {
			return nil, fmt.Errorf("could not connect to libvirt: there is no socket %s, and virsh is not installed: start libvirtd, or install libvirt-clients", strings.Join(sockets, " or "))
		}
		return nil, fmt.Errorf("could not connect to libvirt: %s needs virsh: install libvirt-clients", uri)
	}
	return virsh{ctx, uri}, nil
}

// libvirtSockets lists the sockets where a daemon for the URI may listen, and
// the URI as that daemon knows it.
func libvirtSockets(uri string) (sockets []string, full string, err error) {
	if uri == "" {
		uri = os.Getenv("LIBVIRT_DEFAULT_URI")
	}
	if uri == "" {
		uri = "qemu:///system"
		if os.Geteuid() != 0 {
			uri = "qemu:///session"
		}
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, "", fmt.Errorf("%s is not a libvirt URI: %w", uri, err)
	}
	driver, transport, _ := strings.Cut(u.Scheme, "+")
	if driver == "" {
		return nil, "", fmt.Errorf("%s is not a libvirt URI, such as qemu:///system", uri)
	}
	if driver == "test" || u.Host != "" || transport != "" && transport != "unix" {
		return nil, uri, nil
	}
	full = driver + "://" + u.Path
	if s := u.Query().Get("socket"); s != "" {
		return []string{s}, full, nil
	}
	dir := "/run/libvirt"
	if u.Path == "/session" {
		dir = os.Getenv("XDG_RUNTIME_DIR")
		if dir == "" {
			home, _ := os.UserHomeDir()
			dir = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(dir, "libvirt")
	}
	return []string{filepath.Join(dir, "virt"+driver+"d-sock"), filepath.Join(dir, "libvirt-sock")}, full, nil
}

// libvirtSocket talks to a daemon.
type libvirtSocket struct{ l *libvirt.Libvirt }

func (c libvirtSocket) close() { c.l.Disconnect() }

func (c libvirtSocket) domain(name string, allowUUID bool) (string, bool, error) {
	d, err := c.l.DomainLookupByName(name)
	if uuid, ok := parseUUID(name); ok && allowUUID {
		if byUUID, e := c.l.DomainLookupByUUID(uuid); e == nil {
			d, err = byUUID, nil
		}
	}
	if err != nil {
		return "", false, err
	}
	active, err := c.l.DomainIsActive(d)
	if err != nil {
		return "", false, err
	}
	text, err := c.l.DomainGetXMLDesc(d, 0)
	return text, active != 0, err
}

func (c libvirtSocket) volumePath(pool, volume string) (string, error) {
	p, err := c.l.StoragePoolLookupByName(pool)
	if err != nil {
		return "", err
	}
	v, err := c.l.StorageVolLookupByName(p, volume)
	if err != nil {
		return "", err
	}
	return c.l.StorageVolGetPath(v)
}

// secretUsage are libvirt's numbers for the uses of a secret
// (virSecretUsageType).
var secretUsage = map[string]int32{"volume": 1, "ceph": 2, "iscsi": 3, "tls": 4, "vtpm": 5}

func (c libvirtSocket) secret(s domainSecret) (string, error) {
	var found libvirt.Secret
	var err error
	if uuid, ok := parseUUID(s.UUID); ok {
		found, err = c.l.SecretLookupByUUID(uuid)
	} else {
		found, err = c.l.SecretLookupByUsage(secretUsage[s.Type], s.Usage)
	}
	if err != nil {
		return "", err
	}
	value, err := c.l.SecretGetValue(found, 0)
	return secretText(s, value), err
}

// secretText is a secret as qemu takes it: Ceph's keys are written in base64.
func secretText(s domainSecret, value []byte) string {
	if s.Type == "ceph" {
		return base64.StdEncoding.EncodeToString(value)
	}
	return string(value)
}

func parseUUID(s string) (uuid libvirt.UUID, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	return uuid, err == nil && copy(uuid[:], b) == len(uuid) && len(b) == len(uuid)
}

// virsh asks libvirt through its command.
type virsh struct {
	ctx context.Context
	uri string
}

func (v virsh) close() {}

// ask runs a command of virsh.
func (v virsh) ask(args ...string) (string, error) {
	all := []string{"-q"}
	if v.uri != "" {
		all = append(all, "-c", v.uri)
	}
	c := exec.CommandContext(v.ctx, "virsh", append(all, args...)...)
	c.Env = append(os.Environ(), "LC_ALL=C")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		// The last line says why, and the one before it what failed.
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		if text := strings.TrimPrefix(lines[len(lines)-1], "error: "); text != "" {
			return "", errors.New(text)
		}
		return "", fmt.Errorf("virsh %s: %w", args[0], err)
	}
	return out.String(), nil
}

func (v virsh) domain(name string, allowUUID bool) (string, bool, error) {
	// To virsh a name may also be a number or a UUID: compare with the description.
	text, err := v.ask("dumpxml", "--domain", name)
	if err != nil {
		if strings.HasPrefix(err.Error(), "failed to get domain") {
			//lint:ignore ST1005 libvirt says it so
			err = errors.New("Domain not found") // which virsh says without a reason
		}
		return "", false, err
	}
	id, err := v.ask("domid", "--domain", name)
	if err != nil {
		return "", false, err
	}
	if _, isUUID := parseUUID(name); !isUUID || !allowUUID {
		var d struct {
			Name string `xml:"name"`
		}
		if err := xml.Unmarshal([]byte(text), &d); err != nil || d.Name != name {
			//lint:ignore ST1005 libvirt says it so
			return "", false, errors.New("Domain not found")
		}
	}
	return text, strings.TrimSpace(id) != "-", nil
}

func (v virsh) volumePath(pool, volume string) (string, error) {
	path, err := v.ask("vol-path", "--pool", pool, "--vol", volume)
	return strings.TrimSpace(path), err
}

func (v virsh) secret(s domainSecret) (string, error) {
	if s.UUID == "" {
		return "", fmt.Errorf("virsh finds secrets by their UUID only, and the disk names %s", s.Usage)
	}
	text, err := v.ask("secret-get-value", s.UUID)
	if err != nil {
		return "", err
	}
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	return secretText(s, value), err
}
