package inspect

import (
	"strconv"
	"strings"

	"gofish/internal/api"
)

// Package databases of guests, as text. What makes no sense in them is left out.

// DpkgApplications reads /var/lib/dpkg/status: paragraphs of fields, in which a
// line that begins with a blank goes on with the field before.
func DpkgApplications(status string) []api.Application2 {
	list := []api.Application2{}
	for _, paragraph := range paragraphs(status) {
		var app api.Application2
		installed, field := false, ""
		for _, line := range paragraph {
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
				if field == "Description" {
					if app.App2Description != "" {
						app.App2Description += "\n"
					}
					app.App2Description += line[1:]
				}
				continue
			}
			name, value, _ := strings.Cut(line, ":")
			field, value = name, strings.TrimSpace(value)
			switch field {
			case "Package":
				app.App2Name = value
			case "Status":
				f := strings.Fields(value)
				installed = len(f) == 3 && f[2] == "installed"
			case "Version":
				setAppVersion(&app, value, "-")
			case "Architecture":
				app.App2Arch = value
			case "Homepage":
				app.App2Url = value
			case "Source":
				// A version follows if it is not the package's.
				app.App2SourcePackage, _, _ = strings.Cut(value, " ")
			case "Description":
				app.App2Summary = value
			}
		}
		if installed && app.App2Name != "" && app.App2Version != "" {
			list = append(list, app)
		}
	}
	return list
}

// setAppVersion splits [EPOCH:]VERSION[SEPARATOR RELEASE].
func setAppVersion(app *api.Application2, version, separator string) {
	if epoch, rest, ok := strings.Cut(version, ":"); ok {
		if n, err := strconv.ParseInt(epoch, 10, 32); err == nil && n >= 0 {
			app.App2Epoch, version = int32(n), rest
		}
	}
	app.App2Version = version
	if i := strings.LastIndex(version, separator); i >= 0 {
		app.App2Version, app.App2Release = version[:i], version[i+len(separator):]
	}
}

// ApkApplications reads /lib/apk/db/installed: paragraphs of lines K:value.
func ApkApplications(db string) []api.Application2 {
	list := []api.Application2{}
	for _, paragraph := range paragraphs(db) {
		var app api.Application2
		for _, line := range paragraph {
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				continue
			}
			switch key {
			case "P":
				app.App2Name = value
			case "V":
				setAppVersion(&app, value, "-r")
			case "A":
				app.App2Arch = value
			case "U":
				app.App2Url = value
			case "T":
				app.App2Description = value
			}
		}
		if app.App2Name != "" && app.App2Version != "" {
			list = append(list, app)
		}
	}
	return list
}

// PacmanApplication reads the desc file of a package below /var/lib/pacman/local:
// a name between percent signs, the value in the line behind it. It reports false
// for a file that is none.
func PacmanApplication(desc string) (app api.Application2, ok bool) {
	for _, paragraph := range paragraphs(desc) {
		if len(paragraph) < 2 {
			continue
		}
		value := paragraph[1]
		switch paragraph[0] {
		case "%NAME%":
			app.App2Name = value
		case "%VERSION%":
			setAppVersion(&app, value, "-")
		case "%ARCH%":
			app.App2Arch = value
		case "%URL%":
			app.App2Url = value
		case "%DESC%":
			app.App2Description = value
		}
	}
	return app, app.App2Name != "" && app.App2Version != ""
}

// paragraphs splits a text at its empty lines.
func paragraphs(text string) [][]string {
	var all [][]string
	var now []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			now = append(now, line)
			continue
		}
		if now != nil {
			all, now = append(all, now), nil
		}
	}
	if now != nil {
		all = append(all, now)
	}
	return all
}
