// Soak has gofish mount and walk damaged file systems, round after round: each round must
// end in time, with status 0 or 1 and single lines on standard error, leave no process
// and no temporary file, and not change the image.
//
//	soak [-gofish PROGRAM] [-images FOLDER] [-seed N] [-time DURATION] [-round N] [-keep]
//
// The folder has images, packed by zstd or not. What is done to which image follows from
// the seed and the round's number, so that -round N does the same again.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

var (
	program = flag.String("gofish", "gofish", "the `program` to try")
	images  = flag.String("images", "", "`folder` of images")
	seed    = flag.Uint64("seed", 1, "what the damage follows from")
	length  = flag.Duration("time", 10*time.Minute, "when to stop")
	only    = flag.Int("round", -1, "do this round only")
	keep    = flag.Bool("keep", false, "keep the images of rounds that fail")
	limit   = flag.Duration("limit", 2*time.Minute, "how long a round may take")
)

// stall is the --timeout of gofish: how long a call may not move.
const stall = "20"

// script walks a file system and reads what is in it. Any of it may fail.
const script = `run
-list-filesystems
-mount-ro /dev/sda /
-statvfs /
-find0 / /dev/null
-checksums-out md5 / /dev/null
-tar-out / /dev/null
-umount-all
-mount-options ro,norecovery /dev/sda /
-ll /
-umount-all
-vfs-label /dev/sda
-inspect-os
`

func main() {
	flag.Parse()
	if err := soak(); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak() error {
	list, err := filepath.Glob(filepath.Join(*images, "*.img*"))
	if err != nil || len(list) == 0 {
		return fmt.Errorf("no images in %q: name a folder with -images", *images)
	}
	sort.Strings(list)
	var times []time.Duration
	counts := map[string]int{}
	bad := 0
	begin := time.Now()
	for n := 0; time.Since(begin) < *length; n++ {
		if *only >= 0 {
			n = *only
		}
		r := &round{number: n, rng: rand.New(rand.NewPCG(*seed, uint64(n)))}
		// The first rounds are the images as they are.
		r.image = list[n%len(list)]
		if n >= len(list) {
			r.image = list[r.rng.IntN(len(list))]
		}
		began := time.Now()
		err := r.run(n >= len(list))
		times = append(times, time.Since(began))
		counts[r.ended]++
		if err != nil {
			bad++
			fmt.Printf("round %d (seed %d), %s, %s: %v\n", n, *seed, filepath.Base(r.image), r.damage, err)
		}
		if *only >= 0 {
			break
		}
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	at := func(share float64) time.Duration {
		return times[int(share*float64(len(times)-1))].Round(10 * time.Millisecond)
	}
	fmt.Printf("%d rounds in %v, seed %d: %d bad; half within %v, 99 of 100 within %v, the longest %v\n",
		len(times), time.Since(begin).Round(time.Second), *seed, bad, at(.5), at(.99), at(1))
	for how, n := range counts {
		fmt.Printf("  %5d %s\n", n, how)
	}
	if bad > 0 {
		return fmt.Errorf("%d rounds were bad", bad)
	}
	return nil
}

type round struct {
	number int
	rng    *rand.Rand
	image  string
	damage string
	ended  string // how, for the counts
}

func (r *round) run(damaged bool) error {
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return err
	}
	image := filepath.Join(dir, "image")
	if err := unpack(r.image, image); err != nil {
		os.RemoveAll(dir)
		return err
	}
	if r.damage = "as it is"; damaged {
		if r.damage, err = harm(image, r.rng); err != nil {
			os.RemoveAll(dir)
			return err
		}
	}
	err = r.try(dir, image)
	if err == nil || !*keep {
		os.RemoveAll(dir)
	} else {
		err = fmt.Errorf("%w (kept as %s)", err, image)
	}
	return err
}

func (r *round) try(dir, image string) error {
	before, err := digest(image)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), *limit)
	defer stop()
	c := exec.CommandContext(ctx, *program, "--ro", "--timeout", stall, "--format=raw", "-a", image)
	c.Stdin = strings.NewReader(script)
	var errs bytes.Buffer
	c.Stdout, c.Stderr = io.Discard, &errs
	c.Env = append(os.Environ(), "TMPDIR="+tmp)
	c.WaitDelay = time.Second
	err = c.Run()
	var exit *exec.ExitError
	text := errs.String()
	switch {
	case ctx.Err() != nil:
		r.ended = "did not end"
		return fmt.Errorf("did not end within %v", *limit)
	case err != nil && !errors.As(err, &exit):
		return err
	}
	switch {
	case strings.Contains(text, "kernel crashed"):
		r.ended = "the appliance's kernel crashed"
	case strings.Contains(text, "did not move"):
		r.ended = "a call did not move"
	case text == "":
		r.ended = "without an error"
	default:
		r.ended = "with errors"
	}
	if status := c.ProcessState.ExitCode(); status != 0 && status != 1 {
		return fmt.Errorf("status %d: %s", status, last(text))
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case line == "", strings.HasPrefix(line, "gofish: "), strings.HasPrefix(line, "(in guestfish"):
		default:
			return fmt.Errorf("a line that is no error: %q", line)
		}
		if len(line) > 64<<10 {
			return fmt.Errorf("a line of %d bytes", len(line))
		}
		for _, word := range []string{"panic: ", "internal error", "goroutine "} {
			if strings.Contains(line, word) && !strings.Contains(line, "kernel crashed") {
				return fmt.Errorf("%s", line)
			}
		}
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		return fmt.Errorf("left %s in the folder for temporary files", left[0].Name())
	}
	if p := usedBy(image); p != "" {
		return fmt.Errorf("left a process: %s", p)
	}
	after, err := digest(image)
	if err == nil && before != after {
		err = errors.New("the image has changed")
	}
	return err
}

func last(text string) string {
	l := strings.Split(strings.TrimSpace(text), "\n")
	return l[len(l)-1]
}

// usedBy finds a process that has a name in its arguments.
func usedBy(name string) string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if bytes.Contains(b, []byte(name)) && !strings.HasPrefix(f, fmt.Sprintf("/proc/%d/", os.Getpid())) {
			return string(bytes.ReplaceAll(b, []byte{0}, []byte{' '}))
		}
	}
	return ""
}

func unpack(from, to string) error {
	if !strings.HasSuffix(from, ".zst") {
		return exec.Command("cp", "--sparse=always", from, to).Run()
	}
	return exec.Command("zstd", "-q", "-d", "--sparse", from, "-o", to).Run()
}

func digest(name string) (sum [32]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	copy(sum[:], h.Sum(nil))
	return sum, err
}

// harm damages an image where it holds something, and says how.
func harm(name string, rng *rand.Rand) (string, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	const block = 512
	used := dataBlocks(f, fi.Size(), block)
	if len(used) == 0 {
		return "empty", nil
	}
	pick := func() int64 { return used[rng.IntN(len(used))] * block }
	switch rng.IntN(4) {
	case 0:
		at := fi.Size() * int64(1+rng.IntN(99)) / 100
		return fmt.Sprintf("cut at %d", at), f.Truncate(at)
	case 1:
		n := 1 + rng.IntN(4)
		for range n {
			if _, err := f.WriteAt(make([]byte, block), pick()); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d blocks zero", n), nil
	case 2:
		n := 1 + rng.IntN(8)
		for range n {
			b := make([]byte, 4)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			if _, err := f.WriteAt(b, pick()+4*int64(rng.IntN(block/4))); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d words of noise", n), nil
	}
	n := 1 + rng.IntN(32)
	for range n {
		at, b := pick()+int64(rng.IntN(block)), make([]byte, 1)
		if _, err := f.ReadAt(b, at); err != nil && err != io.EOF {
			return "", err
		}
		b[0] ^= 1 << rng.IntN(8)
		if _, err := f.WriteAt(b, at); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d bits flipped", n), nil
}

// dataBlocks are the numbers of the blocks that are not zero.
func dataBlocks(f *os.File, size, block int64) (l []int64) {
	zero, b := make([]byte, block), make([]byte, block)
	for at := int64(0); at < size; {
		const seekData = 3 // lseek(2)
		next, err := syscall.Seek(int(f.Fd()), at, seekData)
		if err != nil {
			return l
		}
		at = next / block * block
		if n, _ := f.ReadAt(b, at); !bytes.Equal(b[:n], zero[:n]) {
			l = append(l, at/block)
		}
		at += block
	}
	return l
}
