package commands

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"gofish/guestfs/types"
)

// driveArgs is the value of -a: a file of the host, or a remote disk.
type driveArgs struct {
	path                       string
	protocol, username, secret string
	server                     []string
}

func (d driveArgs) remote() bool { return d.protocol != "" }

// options are the optional arguments of add_drive.
func (d driveArgs) options() types.AddDriveOptions {
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

// parseDrive reads a value of -a.
func parseDrive(s string) (driveArgs, error) {
	if !isURI(s) {
		return driveArgs{path: s}, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return driveArgs{}, fmt.Errorf("could not parse URI ‘%s’", s)
	}
	if u.Scheme == "file" {
		return driveArgs{path: u.Path}, nil
	}
	// What follows a +, as in nbd+unix, only repeats how the server is reached.
	protocol, _, _ := strings.Cut(u.Scheme, "+")
	d := driveArgs{protocol: protocol, path: u.Path, username: u.User.Username()}
	if hasQuery[protocol] && u.RawQuery != "" {
		d.path = strings.ReplaceAll(u.Path, "?", "%3F") + "?" + u.RawQuery
	}
	d.secret, _ = u.User.Password()
	if dropSlash[protocol] {
		d.path = strings.TrimPrefix(d.path, "/")
	}
	socket := u.Query().Get("socket")
	switch {
	case socket != "" && u.Host != "":
		return driveArgs{}, fmt.Errorf("%s: cannot have both a server name and a socket query parameter", s)
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
