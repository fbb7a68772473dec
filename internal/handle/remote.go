package handle

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gofish/internal/appliance"
	"gofish/internal/diskimage"
)

// Disks on servers.

// remoteKind describes the parameters of add_drive for a protocol.
type remoteKind struct {
	label     string // in messages, if it is not the protocol
	noLogin   bool
	oneServer bool
	tcpOnly   bool
	needPort  bool
	name      string // what the name of the disk is called; "" if it may be empty
	slash     bool   // the name begins with /
	noSlash   string // what must not begin with /
}

var curlKind = remoteKind{label: "curl", oneServer: true, tcpOnly: true, name: "pathname", slash: true}

var remoteKinds = map[string]remoteKind{
	"nbd":      {noLogin: true, oneServer: true},
	"gluster":  {noLogin: true, oneServer: true, name: "volume name parameter", noSlash: "volume/image"},
	"iscsi":    {oneServer: true, tcpOnly: true, name: "target name", noSlash: "target string"},
	"rbd":      {tcpOnly: true, needPort: true, name: "image name parameter", noSlash: "image name"},
	"sheepdog": {noLogin: true, tcpOnly: true, needPort: true, name: "volume parameter", noSlash: "volume parameter"},
	"ssh":      {oneServer: true, tcpOnly: true, name: "pathname", slash: true},
	"http":     curlKind, "https": curlKind, "ftp": curlKind, "ftps": curlKind, "tftp": curlKind,
}

// server is where a disk is: a host with a port or without, or a socket.
type server struct{ host, port, socket string }

func (s server) String() string {
	if s.port == "" {
		return s.host
	}
	return s.host + ":" + s.port
}

var (
	hostPort  = regexp.MustCompile(`^(.*):([0-9]+)$`)
	validHost = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]+$`)
)

// parseServer reads one of add_drive's servers.
func parseServer(s string) (server, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if path == "" {
			return server{}, errors.New("missing Unix domain socket path")
		}
		return server{socket: path}, nil
	}
	s = strings.TrimPrefix(s, "tcp:")
	m := hostPort.FindStringSubmatch(s)
	if m == nil || validHost.MatchString(s) && strings.Count(s, ":") > 1 && !strings.HasSuffix(m[1], "]") {
		// No port, or the last part of an IPv6 address.
		if !validHost.MatchString(s) {
			return server{}, fmt.Errorf("invalid hostname or server string ‘%s’", s)
		}
		return server{host: bracket(s)}, nil
	}
	if n, err := strconv.Atoi(m[2]); err != nil || n < 1 || n > 65535 {
		return server{}, fmt.Errorf("invalid port number ‘%s’", m[2])
	}
	if !validHost.MatchString(m[1]) {
		return server{}, fmt.Errorf("invalid hostname ‘%s’", m[1])
	}
	return server{host: bracket(m[1]), port: m[2]}, nil
}

// bracket writes an IPv6 address as URLs have it.
func bracket(host string) string {
	if strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return strings.TrimSuffix(host, ":")
}

// check compares a drive with what its protocol can do.
func (k remoteKind) check(d *Drive, servers []server) error {
	label := d.Protocol
	if k.label != "" {
		label = k.label
	}
	fail := func(s string) error { return errors.New(label + ": " + s) }
	switch {
	case k.noLogin && d.User != "":
		return fail("you cannot specify a username with this protocol")
	case k.noLogin && d.Secret != "":
		return fail("you cannot specify a secret with this protocol")
	case k.oneServer && len(servers) != 1:
		return fail("you must specify exactly one server")
	}
	for _, s := range servers {
		switch {
		case k.tcpOnly && s.socket != "":
			return fail("only tcp transport is supported")
		case k.needPort && s.port == "":
			return fail("port number must be specified")
		}
	}
	switch slash := strings.HasPrefix(d.Name, "/"); {
	case k.name != "" && d.Name == "":
		return fail(k.name + " should not be an empty string")
	case k.slash && !slash:
		return fail(k.name + " must begin with a '/'")
	case k.noSlash != "" && slash:
		return fail(k.noSlash + " must not begin with a '/'")
	}
	return nil
}

// url is qemu's name for a disk on a server.
func (d *Drive) url() (string, error) {
	k, ok := remoteKinds[d.Protocol]
	if !ok {
		return "", fmt.Errorf("unknown protocol ‘%s’", d.Protocol)
	}
	var servers []server
	for _, s := range d.Server {
		parsed, err := parseServer(s)
		if err != nil {
			return "", err
		}
		servers = append(servers, parsed)
	}
	if err := k.check(d, servers); err != nil {
		return "", err
	}
	if d.Protocol == "rbd" {
		return d.rbd(servers), nil
	}
	name, query := d.Name, ""
	if k.label == curlKind.label {
		name, query, _ = strings.Cut(name, "?")
		name = strings.ReplaceAll(name, "%3F", "?") // one that is part of the name
	}
	u := url.URL{Scheme: d.Protocol, Path: "/" + strings.TrimPrefix(name, "/"), RawQuery: query}
	if len(servers) > 0 {
		if s := servers[0]; s.socket != "" {
			// Written out, because a URL without a host would lose its slashes.
			return fmt.Sprintf("%s+unix://%s?socket=%s", d.Protocol, u.EscapedPath(), url.PathEscape(s.socket)), nil
		}
		u.Host = servers[0].String()
	}
	switch d.Protocol {
	case "iscsi":
		if !strings.Contains(d.Name, "/") {
			u.Path += "/0" // the first logical unit
		}
		if d.User != "" {
			u.User = url.User(d.User)
		}
	default:
		if d.User != "" {
			u.User = url.User(d.User)
		}
	}
	return u.String(), nil
}

// withSecret is the same disk as url's for one with a secret, which stays out of all
// argument lists: qemu reads it from a secret object.
func (d *Drive) withSecret() (*appliance.Remote, error) {
	if d.Secret == "" {
		return nil, nil
	}
	r := &appliance.Remote{Secret: d.Secret, SecretOption: "password-secret", Options: map[string]any{}}
	add := func(name, value string) {
		if value != "" {
			r.Options[name] = value
		}
	}
	add("driver", d.Protocol)
	var servers []server
	for _, s := range d.Server {
		parsed, err := parseServer(s)
		if err != nil {
			return nil, err
		}
		servers = append(servers, parsed)
	}
	switch d.Protocol {
	case "rbd":
		r.SecretOption = "key-secret"
		rest, snapshot, _ := strings.Cut(d.Name, "@")
		parts := strings.Split(rest, "/")
		if len(parts) < 2 {
			return nil, fmt.Errorf("%s: expecting POOL/IMAGE", d.Name)
		}
		add("pool", parts[0])
		add("namespace", strings.Join(parts[1:len(parts)-1], "/"))
		add("image", parts[len(parts)-1])
		add("snapshot", snapshot)
		add("user", d.User)
		var monitors []map[string]string
		for _, s := range servers {
			monitors = append(monitors, map[string]string{"host": strings.Trim(s.host, "[]"), "port": s.port})
		}
		if monitors != nil {
			r.Options["server"] = monitors
		}
	case "iscsi":
		target, lun, ok := strings.Cut(d.Name, "/")
		if !ok {
			lun = "0" // the first logical unit
		}
		add("transport", "tcp")
		add("portal", servers[0].String())
		add("target", target)
		n, err := strconv.ParseUint(lun, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s: expecting the number of a logical unit after the target", d.Name)
		}
		r.Options["lun"] = n
		add("user", d.User)
	default:
		s := *d
		s.User, s.Secret = "", ""
		u, err := s.url()
		if err != nil {
			return nil, err
		}
		add("url", u)
		add("username", d.User)
	}
	return r, nil
}

// rbd names an image of Ceph. A : would end a value.
func (d *Drive) rbd(servers []server) string {
	quote := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace
	s := "rbd:" + d.Name
	var hosts []string
	for _, m := range servers {
		hosts = append(hosts, quote(m.String()))
	}
	if len(hosts) > 0 {
		s += ":mon_host=" + strings.Join(hosts, `\;`)
	}
	if d.User != "" {
		s += ":id=" + quote(d.User)
	}
	return s
}

// remotePatience is how long a server may take to describe its disk.
const remotePatience = 60 * time.Second

// probeRemote opens a disk on a server once, so that errors show before
// a machine starts, and finds its format and size. qemu would guess that too, but then
// refuse to write to the first sector of a raw disk.
func (d *Drive) probeRemote(ctx context.Context, chain *chain) (size int64, err error) {
	switch {
	case d.Protocol == "sheepdog":
		return 0, fmt.Errorf("%s: qemu has had no support for sheepdog since its version 6.1", d.title())
	case remoteKinds[d.Protocol].label == curlKind.label && !d.ReadOnly:
		return 0, fmt.Errorf("%s: %s is for reading only: add the drive read-only, as --ro does", d.title(), d.Protocol)
	case d.Protocol == "ssh" && d.Secret != "":
		return 0, fmt.Errorf("%s: a password cannot be given to qemu for ssh: load a key into ssh-agent", d.title())
	}
	timed, cancel := context.WithTimeout(ctx, remotePatience)
	defer cancel()
	if chain.untrusted {
		if err := d.distrust(timed, chain); err != nil {
			return 0, fmt.Errorf("%s: %w", d.title(), err)
		}
	}
	i, err := remoteInfo(timed, d)
	if timed.Err() != nil && ctx.Err() == nil {
		return 0, fmt.Errorf("%s: the server has not answered for %v", d.title(), remotePatience)
	}
	if err != nil {
		return 0, errors.New(d.title() + ": " + d.remoteReason(err.Error()))
	}
	d.Format = i.Format
	return i.VirtualSize, nil
}

// distrust looks at the beginning of an image of a stranger on a server, before
// anything opens it in its format. What a name in it means depends on the server, so
// none is followed.
func (d *Drive) distrust(ctx context.Context, chain *chain) error {
	head, err := remoteHead(ctx, d)
	if err != nil {
		return errors.New(d.remoteReason(err.Error()))
	}
	format := d.Format
	if format == "" {
		format = diskimage.Probe(head)
		name, _, _ := strings.Cut(d.Name, "?")
		if err := chain.mayProbe(name, format); err != nil {
			return err
		}
	}
	refs, err := diskimage.Refs(format, head)
	if err != nil {
		return err
	}
	if len(refs) > 0 {
		return fmt.Errorf("it names another file, %s, which is not opened as the image is not trusted: leave out --untrusted", refs[0].Name)
	}
	d.Format = format
	return nil
}

// title names the drive in messages; a secret does not belong there.
func (d *Drive) title() string {
	if d.Protocol == "" {
		return d.Name
	}
	s := *d
	s.User, s.Secret = "", ""
	var query bool
	if remoteKinds[d.Protocol].label == curlKind.label {
		// The query of a link may be as good as a password.
		s.Name, _, query = strings.Cut(d.Name, "?")
	}
	u, err := s.url()
	if err != nil {
		return s.Name
	}
	if query {
		u += "?…"
	}
	return u
}

// remoteReason shortens qemu's words about a disk on a server to the reason.
func (d *Drive) remoteReason(s string) string {
	for _, before := range []string{"qemu-img: ", "qemu: ", "Error: "} {
		s = strings.TrimPrefix(s, before)
	}
	if rest, ok := strings.CutPrefix(s, "Could not open '"); ok {
		if _, after, ok := strings.Cut(rest, "': "); ok {
			s = after
		}
	}
	s = strings.ReplaceAll(s, d.abs, d.title())
	if d.Secret != "" {
		s = strings.ReplaceAll(s, d.Secret, "…")
	}
	if strings.Contains(s, "Unknown protocol") || strings.Contains(s, "Unknown driver") {
		s += " (install qemu-block-extra)"
	}
	return s
}
