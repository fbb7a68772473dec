package handle

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"gofish/guestfs/types"
)

// Domains of libvirt: their disks are added as drives.

// domain is the part of libvirt's description of a virtual machine that matters here.
type domain struct {
	Active bool
	Disks  []domainDisk `xml:"devices>disk"`
}

// domainDisk is a <disk>, see libvirt's formatdomain.html.
type domainDisk struct {
	Type   string `xml:"type,attr"`
	Driver struct {
		Type string `xml:"type,attr"`
	} `xml:"driver"`
	Source struct {
		File     string      `xml:"file,attr"`
		Dev      string      `xml:"dev,attr"`
		Pool     string      `xml:"pool,attr"`
		Volume   string      `xml:"volume,attr"`
		Protocol string      `xml:"protocol,attr"`
		Name     string      `xml:"name,attr"`
		Hosts    []diskHost  `xml:"host"`
		Auth     *domainAuth `xml:"auth"`
	} `xml:"source"`
	Auth     *domainAuth `xml:"auth"`
	ReadOnly *struct{}   `xml:"readonly"`
}

type diskHost struct {
	Name      string `xml:"name,attr"`
	Port      string `xml:"port,attr"`
	Transport string `xml:"transport,attr"`
	Socket    string `xml:"socket,attr"`
}

type domainAuth struct {
	User   string       `xml:"username,attr"`
	Secret domainSecret `xml:"secret"`
}

// domainSecret names a secret that libvirt keeps.
type domainSecret struct {
	Type  string `xml:"type,attr"`
	UUID  string `xml:"uuid,attr"`
	Usage string `xml:"usage,attr"`
}

// libvirtConn asks libvirt.
type libvirtConn interface {
	// domain finds a domain by its UUID, if that is allowed, or its name.
	domain(name string, allowUUID bool) (text string, active bool, err error)
	volumePath(pool, volume string) (string, error)
	secret(s domainSecret) (string, error)
	close()
}

func (h Actions) AddDomain(c *Call, dom string, o types.AddDomainOptions) (int, error) {
	if o.Live != nil && *o.Live {
		return 0, &CallError{Text: "libguestfs live support was removed in libguestfs 1.48"}
	}
	readOnly := o.ReadOnly != nil && *o.ReadOnly
	marked := orEmpty(o.ReadOnlyDisk)
	switch marked {
	case "", "write", "read", "ignore", "error":
	default:
		return 0, &CallError{Text: "unknown readonlydisk parameter"}
	}
	conn, err := dialLibvirt(c, orEmpty(o.LibvirtURI))
	if err != nil {
		return 0, err
	}
	defer conn.close()
	text, active, err := conn.domain(dom, o.AllowUUID != nil && *o.AllowUUID)
	if err != nil {
		return 0, fmt.Errorf("no libvirt domain called ‘%s’: %w", dom, err)
	}
	if active && !readOnly {
		return 0, &CallError{Lines: true, Text: "error: domain is a live virtual machine.\n" +
			"Writing to the disks of a running virtual machine can cause disk corruption.\n" +
			"Use read-only access.  In most libguestfs tools use --ro."}
	}
	var d domain
	if err := xml.Unmarshal([]byte(text), &d); err != nil {
		return 0, fmt.Errorf("%s: libvirt's description of the domain: %w", dom, err)
	}
	added := 0
	for _, disk := range d.Disks {
		args, err := disk.drive(conn)
		if err != nil {
			return added, fmt.Errorf("%s: %w", dom, err)
		}
		if args == nil {
			continue
		}
		args.opts.ReadOnly = new(readOnly)
		if disk.ReadOnly != nil && !readOnly {
			switch marked {
			case "error":
				return added, fmt.Errorf("%s: disk is marked <readonly/> in libvirt XML, and readonlydisk was set to \"error\"", args.name)
			case "read":
				args.opts.ReadOnly = new(true)
			case "ignore":
				added++ // it counts all the same
				continue
			}
		}
		args.opts.Iface, args.opts.CacheMode, args.opts.Discard, args.opts.CopyOnRead = o.Iface, o.CacheMode, o.Discard, o.CopyOnRead
		if err := c.AddDrive(c, args.name, args.opts); err != nil {
			return added, err
		}
		added++
	}
	return added, nil
}

// driveArgs are the arguments of add_drive for a disk.
type driveArgs struct {
	name string
	opts types.AddDriveOptions
}

// drive translates a disk; nil for an empty one, or one that is not an image.
func (d *domainDisk) drive(conn libvirtConn) (*driveArgs, error) {
	a := &driveArgs{}
	switch s := d.Source; d.Type {
	case "file":
		a.name = s.File
	case "block":
		a.name = s.Dev
	case "volume":
		var err error
		if a.name, err = conn.volumePath(s.Pool, s.Volume); err != nil {
			return nil, fmt.Errorf("volume %s of pool %s: %w", s.Volume, s.Pool, err)
		}
	case "network":
		a.name = s.Name
		a.opts.Protocol = &s.Protocol
		for _, h := range s.Hosts {
			a.opts.Server = append(a.opts.Server, h.server())
		}
		auth := d.Auth
		if auth == nil {
			auth = s.Auth
		}
		if auth != nil {
			a.opts.Username = &auth.User
			if auth.Secret != (domainSecret{}) {
				secret, err := conn.secret(auth.Secret)
				if err != nil {
					return nil, fmt.Errorf("secret for %s: %w", s.Name, err)
				}
				a.opts.Secret = &secret
			}
		}
	}
	if a.name == "" && a.opts.Protocol == nil {
		return nil, nil
	}
	if d.Driver.Type != "" {
		a.opts.Format = &d.Driver.Type
	}
	return a, nil
}

// server is the host as add_drive's argument of that name has it.
func (h diskHost) server() string {
	if h.Transport == "unix" {
		return "unix:" + h.Socket
	}
	name := h.Name
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if h.Port == "" {
		return name
	}
	return name + ":" + h.Port
}

// Credentials. Whoever talks to libvirt here never has to log in: a local
// socket needs none, and virsh asks on its own.

var credentialTypes = map[string]bool{
	"username": true, "authname": true, "language": true, "cnonce": true, "passphrase": true,
	"echoprompt": true, "noechoprompt": true, "realm": true, "external": true,
}

func (h Actions) SetLibvirtSupportedCredentials(creds []string) error {
	for _, c := range creds {
		if !credentialTypes[c] {
			return &CallError{Text: fmt.Sprintf("unknown credential type ‘%s’", c)}
		}
	}
	return nil
}

var errNoCredentials = errors.New("no libvirt_auth event is being handled: libvirt has asked for no credentials")

func (h Actions) GetLibvirtRequestedCredentials() ([]string, error) { return nil, errNoCredentials }
func (h Actions) GetLibvirtRequestedCredentialPrompt(index int) (string, error) {
	return "", errNoCredentials
}
func (h Actions) GetLibvirtRequestedCredentialChallenge(index int) (string, error) {
	return "", errNoCredentials
}
func (h Actions) GetLibvirtRequestedCredentialDefresult(index int) (string, error) {
	return "", errNoCredentials
}
func (h Actions) SetLibvirtRequestedCredential(index int, cred []byte) error { return errNoCredentials }
