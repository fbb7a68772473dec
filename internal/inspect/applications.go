package inspect

import (
	"strconv"
	"strings"

	"gofish/internal/api"
)

// Package databases of guests, as text. Invalid parts of them are skipped.

// DpkgApplications reads /var/lib/dpkg/status: paragraphs of fields, in which a
// line that begins with a blank continues the previous field.
func DpkgApplications(status string) []api.Application2 {
	list := []api.Application2{}
	for _, paragraph := range paragraphs(status) {
		var app api.Application2
		installed, field := false, ""
		for _, line := range paragraph {
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
				if field == "Description" {
					if app.Description != "" {
						app.Description += "\n"
					}
					app.Description += line[1:]
				}
				continue
			}
			name, value, _ := strings.Cut(line, ":")
			field, value = name, strings.TrimSpace(value)
			switch field {
			case "Package":
				app.Name = value
			case "Status":
				f := strings.Fields(value)
				installed = len(f) == 3 && f[2] == "installed"
			case "Version":
				setAppVersion(&app, value, "-")
			case "Architecture":
				app.Arch = value
			case "Homepage":
				app.URL = value
			case "Source":
				// A version follows if it is not the package's.
				app.SourcePackage, _, _ = strings.Cut(value, " ")
			case "Description":
				app.Summary = value
			}
		}
		if installed && app.Name != "" && app.Version != "" {
			list = append(list, app)
		}
	}
	return list
}

// setAppVersion splits [EPOCH:]VERSION[SEPARATOR RELEASE].
func setAppVersion(app *api.Application2, version, separator string) {
	if epoch, rest, ok := strings.Cut(version, ":"); ok {
		if n, err := strconv.ParseInt(epoch, 10, 32); err == nil && n >= 0 {
			app.Epoch, version = int32(n), rest
		}
	}
	app.Version = version
	if i := strings.LastIndex(version, separator); i >= 0 {
		app.Version, app.Release = version[:i], version[i+len(separator):]
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
				app.Name = value
			case "V":
				setAppVersion(&app, value, "-r")
			case "A":
				app.Arch = value
			case "U":
				app.URL = value
			case "T":
				app.Description = value
			}
		}
		if app.Name != "" && app.Version != "" {
			list = append(list, app)
		}
	}
	return list
}

// PacmanApplication reads the desc file of a package below /var/lib/pacman/local:
// a name between percent signs, the value in the line after it. It reports false for a
// file that is not such a file.
func PacmanApplication(desc string) (app api.Application2, ok bool) {
	for _, paragraph := range paragraphs(desc) {
		if len(paragraph) < 2 {
			continue
		}
		value := paragraph[1]
		switch paragraph[0] {
		case "%NAME%":
			app.Name = value
		case "%VERSION%":
			setAppVersion(&app, value, "-")
		case "%ARCH%":
			app.Arch = value
		case "%URL%":
			app.URL = value
		case "%DESC%":
			app.Description = value
		}
	}
	return app, app.Name != "" && app.Version != ""
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
