package commands

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/guestfs/types"
)

// runEdit edits a file of the guest on the host.
func runEdit(s *Shell, cmd string, args []string) error {
	remote, err := s.windowsPath(args[0])
	if err != nil {
		return err
	}
	var editor program
	switch strings.ToLower(cmd) {
	case "vi":
		editor.words = []string{"vi"}
	case "emacs":
		editor.words = []string{"emacs", "-nw"}
	default:
		if editor, err = chosen("vi", "EDITOR"); err != nil {
			return err
		}
	}
	file, done, err := s.downloadTemp(remote)
	if err != nil {
		return err
	}
	defer done()
	changed, err := s.editTemp(editor, file)
	if err != nil || !changed {
		return err
	}
	fresh, err := s.g().Replace(s.ctx, remote)
	if err != nil {
		return err
	}
	err = s.g().Upload(s.ctx, types.HostFile(file), fresh.Temp)
	if err == nil {
		err = fresh.Commit(s.ctx)
	}
	if err != nil {
		return join(err, fresh.Discard(s.ctx))
	}
	return nil
}

// editTemp runs an editor on a file and reports whether its contents changed.
func (s *Shell) editTemp(editor program, file string) (bool, error) {
	before, err := fileSum(file)
	if err != nil {
		return false, s.errorf("%s: %s", file, cause(err))
	}
	if err := editor.run(s, file); err != nil {
		return false, err
	}
	after, err := fileSum(file)
	if err != nil {
		return false, s.errorf("%s: %s", file, cause(err))
	}
	return !bytes.Equal(before, after), nil
}

func fileSum(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// hexeditLimit is how much is edited without being asked for.
const hexeditLimit = 16 << 20

// runHexedit edits the bytes of a file or device on the host.
func runHexedit(s *Shell, cmd string, args []string) error {
	name := args[0]
	query := s.g().Filesize
	if strings.HasPrefix(name, "/dev/") {
		query = s.g().BlockdevGetsize64
	}
	total, err := query(s.ctx, name)
	if err != nil {
		return err
	}
	if total == 0 {
		return fmt.Errorf("hexedit: %s is a zero length file or device", name)
	}
	start, length := int64(0), total
	switch len(args) {
	case 1:
		if total > hexeditLimit {
			//lint:ignore ST1005 guestfish says it so
			return fmt.Errorf("hexedit: %s is larger than 16MB. You must supply a limit using\n"+
				"  'hexedit %[1]s <max>' (eg. 'hexedit %[1]s 1M') or a range using\n"+
				"  'hexedit %[1]s <start> <max>'.", name)
		}
	case 2:
		length, err = size(args[1])
	case 3:
		if start, err = size(args[1]); err == nil {
			length, err = size(args[2])
		}
	}
	if err != nil {
		return err
	}
	length = min(length, total-start)
	if length <= 0 {
		return fmt.Errorf("hexedit: invalid range")
	}
	editor, err := chosen("hexedit", "HEXEDITOR")
	if err != nil {
		return err
	}
	file, done, err := s.privateFile(name)
	if err != nil {
		return err
	}
	defer done()
	if err := s.g().DownloadOffset(s.ctx, name, types.HostFile(file), start, length); err != nil {
		return err
	}
	changed, err := s.editTemp(editor, file)
	if err != nil || !changed {
		return err
	}
	return s.g().UploadOffset(s.ctx, types.HostFile(file), name, start)
}
