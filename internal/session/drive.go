package session

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"gofish/guestfs/types"
)

// Drive is the value of -a: a file of the host, or a remote disk.
type Drive struct {
	Path                       string
	protocol, username, secret string
	server                     []string
}

// Remote reports whether the drive is on a server.
func (d Drive) Remote() bool { return d.protocol != "" }

// options are the optional arguments of add_drive.
func (d Drive) options() types.AddDriveOptions {
	given := func(v string) *string {
		if v == "" {
			return nil
		}
		return &v
	}
	return types.AddDriveOptions{Protocol: given(d.protocol), Username: given(d.username), Secret: given(d.secret), Server: d.server}
}

// isURI reports whether a value of -a is a URI: lower-case letters or + are right
// before the first "://". Anything else is the name of a file.
func isURI(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	if !ok || scheme == "" {
		return false
	}
	for _, c := range scheme {
		if (c < 'a' || c > 'z') && c != '+' {
			return false
		}
	}
	return true
}

// dropSlash has the protocols whose names do not begin with the path's slash.
var dropSlash = map[string]bool{"gluster": true, "iscsi": true, "nbd": true, "rbd": true, "sheepdog": true}

// hasQuery has the protocols where a query is part of the name: links
// that are signed carry the signature there.
var hasQuery = map[string]bool{"http": true, "https": true, "ftp": true, "ftps": true}

// ParseDrive reads a value of -a.
func ParseDrive(s string) (Drive, error) {
	if !isURI(s) {
		return Drive{Path: s}, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return Drive{}, fmt.Errorf("could not parse URI ‘%s’", s)
	}
	if u.Scheme == "file" {
		return Drive{Path: u.Path}, nil
	}
	// What follows a +, as in nbd+unix, only repeats how the server is reached.
	protocol, _, _ := strings.Cut(u.Scheme, "+")
	d := Drive{protocol: protocol, Path: u.Path, username: u.User.Username()}
	if hasQuery[protocol] && u.RawQuery != "" {
		d.Path = strings.ReplaceAll(u.Path, "?", "%3F") + "?" + u.RawQuery
	}
	d.secret, _ = u.User.Password()
	if dropSlash[protocol] {
		d.Path = strings.TrimPrefix(d.Path, "/")
	}
	socket := u.Query().Get("socket")
	switch {
	case socket != "" && u.Host != "":
		return Drive{}, fmt.Errorf("%s: cannot have both a server name and a socket query parameter", s)
	case socket != "":
		d.server = []string{"unix:" + socket}
	case u.Host != "":
		server := "tcp:" + u.Hostname()
		if strings.Contains(u.Hostname(), ":") {
			server = "tcp:[" + u.Hostname() + "]"
		}
		if p, err := strconv.Atoi(u.Port()); err == nil && p != 0 {
			server += ":" + u.Port()
		}
		d.server = []string{server}
	}
	return d, nil
}
