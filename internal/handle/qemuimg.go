package handle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// info is the output of qemu-img info.
type info struct {
	Format      string `json:"format"`
	VirtualSize int64  `json:"virtual-size"`
	Backing     string `json:"backing-filename"`
}

// imageInfo asks qemu-img about an image; without a format it finds that too.
func imageInfo(ctx context.Context, path, format string) (info, error) {
	args := []string{path}
	if format != "" {
		args = []string{"-f", format, path}
	}
	i, err := askInfo(ctx, nil, args...)
	if err != nil {
		err = errors.New(imageReason(err.Error()))
	}
	return i, err
}

// imageReason shortens qemu's message about an image to the reason: whoever shows it names
// the image, and a backing file that the image itself does not have is our overlay's.
func imageReason(s string) string {
	who := ""
	for _, name := range []string{"qemu-img: ", "qemu: "} {
		if rest, ok := strings.CutPrefix(s, name); ok {
			who, s = name, rest
		}
	}
	s = absentModule.ReplaceAllString(s, "")
	for {
		rest, ok := strings.CutPrefix(s, "Could not open backing file: ")
		if !ok && strings.HasPrefix(s, "Could not open '") {
			_, rest, ok = strings.Cut(s, "': ")
		}
		if !ok {
			break
		}
		s = rest
	}
	switch {
	case s == "Invalid argument" || strings.Contains(s, ": Assertion `"):
		s = "the image is damaged (qemu-img check says more)"
	case strings.Contains(s, "key-secret' is required"):
		s = "the image is encrypted by qemu: make one of it that is not, with qemu-img convert"
	}
	return who + s
}

// absentModule matches qemu's message about optional modules that are not installed, which an
// image may not even need.
var absentModule = regexp.MustCompile(`(?:qemu(?:-img)?: )?module \S+ not found, do you want to install \S+ package\?(?:: (?:qemu-img: )?)?`)

// remoteInfo is imageInfo for a disk on a server.
func remoteInfo(ctx context.Context, d *Drive) (info, error) {
	args, files, err := d.imageArgs(d.Format)
	defer closeAll(files)
	if err != nil {
		return info{}, err
	}
	return askInfo(ctx, files, args...)
}

func askInfo(ctx context.Context, files []*os.File, args ...string) (i info, err error) {
	out, err := (&qemuImg{files: files, bounded: true}).run(ctx, append([]string{"info", "--output=json", "-U"}, args...)...)
	if err == nil {
		err = json.Unmarshal(out, &i)
	}
	return i, err
}

// imageArgs names a disk on a server for qemu-img, which inherits the files.
func (d *Drive) imageArgs(format string) (args []string, files []*os.File, err error) {
	r, err := d.withSecret()
	switch {
	case err != nil:
		return nil, nil, err
	case r == nil && format == "":
		return []string{d.abs}, nil, nil
	case r == nil:
		return []string{"-f", format, d.abs}, nil, nil
	}
	f, err := r.SecretFile()
	if err != nil {
		return nil, nil, err
	}
	const id, fd = "secret", 3 // the first that a child inherits
	return []string{"--object", r.Object(id, fd), r.FileName(format, id)}, []*os.File{f}, nil
}

// headSize is how much remoteHead reads: more than the largest cluster, in which qcow2
// has its header.
const headSize = 4 << 20

// remoteHead reads the first bytes of a disk on a server, as they are there.
func remoteHead(ctx context.Context, d *Drive) (*bytes.Reader, error) {
	args, files, err := d.imageArgs("raw")
	defer closeAll(files)
	if err != nil {
		return nil, err
	}
	head, err := unnamed(os.TempDir(), 0)
	if err != nil {
		return nil, err
	}
	defer head.Close()
	// qemu-img dd has operands where the others have a name.
	last := len(args) - 1
	args[last] = "if=" + args[last]
	args = append([]string{"dd", "-U", "-O", "raw"}, args...)
	args = append(args, fmt.Sprintf("of=/proc/self/fd/%d", 3+len(files)), "bs=65536", fmt.Sprintf("count=%d", headSize/65536))
	if _, err := (&qemuImg{files: append(files, head), bounded: true}).run(ctx, args...); err != nil {
		return nil, err
	}
	b := make([]byte, headSize)
	n, _ := head.ReadAt(b, 0)
	return bytes.NewReader(b[:n]), nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// qemuImg is a run of qemu-img.
type qemuImg struct {
	files   []*os.File // that it inherits, from descriptor 3 on
	bounded bool       // it only looks at an image: that takes no long time and little memory
}

// An image may be made so that looking at it never ends, or takes all memory.
const (
	imageTime   = time.Minute
	imageMemory = 4 << 30 // address space; qemu-img itself has 0.3 GB
)

func (q *qemuImg) run(ctx context.Context, args ...string) ([]byte, error) {
	if q.bounded {
		timed, cancel := context.WithTimeout(ctx, imageTime)
		defer cancel()
		ctx = timed
	}
	c := exec.CommandContext(ctx, "qemu-img", args...)
	c.Env = append(os.Environ(), "LC_ALL=C")
	c.ExtraFiles = q.files
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Start()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("qemu-img: not found (install qemu-utils)")
	}
	if err != nil {
		return nil, err
	}
	if q.bounded {
		limit := unix.Rlimit{Cur: imageMemory, Max: imageMemory}
		unix.Prlimit(c.Process.Pid, unix.RLIMIT_AS, &limit, nil)
	}
	err = c.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return nil, fmt.Errorf("qemu-img has not opened the image for %v", imageTime)
	case errors.As(err, &exit) && stderr.Len() > 0:
		return nil, errors.New(strings.ReplaceAll(strings.TrimSpace(stderr.String()), "\n", ": "))
	case err != nil:
		return nil, fmt.Errorf("qemu-img: %w", err)
	}
	return stdout.Bytes(), nil
}
