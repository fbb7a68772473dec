package proto

import (
	"bytes"
	"io"
	"math"

	"reflect"
	"strings"
	"syscall"
	"testing"

	xdr "github.com/davecgh/go-xdr/xdr2"
)

// Another implementation of RFC 4506 is the judge of the encoder.
func TestEncoderAgreesWithGoXDR(t *testing.T) {
	type all struct {
		A uint32
		B int32
		C uint64
		D int64
		E bool
		F string
		G []byte
		H [5]byte
		I float32
		J []string
	}
	for _, v := range []all{
		{},
		{1, -1, 1 << 40, -1 << 40, true, "h\x00ello", []byte{0, 255}, [5]byte{1, 2, 3, 4, 5}, -1, []string{"", "ab", "abcd"}},
		{math.MaxUint32, math.MinInt32, math.MaxUint64, math.MinInt64, true, strings.Repeat("x", 1001), bytes.Repeat([]byte{7}, 4095), [5]byte{}, 0.5, make([]string, 9)},
	} {
		var want bytes.Buffer
		if _, err := xdr.Marshal(&want, v); err != nil {
			t.Fatal(err)
		}
		var e Encoder
		e.Uint32(v.A)
		e.Int32(v.B)
		e.Uint64(v.C)
		e.Int64(v.D)
		e.Bool(v.E)
		e.String(v.F)
		e.Opaque(v.G)
		e.Fixed(v.H[:])
		e.Float32(v.I)
		e.Strings(v.J)
		if !bytes.Equal(e.Buf, want.Bytes()) {
			t.Errorf("encoded\n%x\nwant\n%x", e.Buf, want.Bytes())
		}
		d := NewDecoder(e.Buf)
		got := all{A: d.Uint32(), B: d.Int32(), C: d.Uint64(), D: d.Int64(), E: d.Bool(), F: d.String(), G: d.Opaque()}
		copy(got.H[:], d.Fixed(5))
		got.I = d.Float32()
		got.J = d.Strings()
		if v.G == nil {
			v.G = []byte{}
		}
		if v.J == nil {
			v.J = []string{}
		}
		if d.Err != nil || d.Len() != 0 || !reflect.DeepEqual(got, v) {
			t.Errorf("decoded %+v, %d bytes left, error %v; want %+v", got, d.Len(), d.Err, v)
		}
	}
}

func TestDecoderRefusesLyingLengths(t *testing.T) {
	for _, b := range [][]byte{
		{0xff, 0xff, 0xff, 0xff},
		{0, 0, 0, 5, 'a', 'b', 'c', 'd'},
		{0, 0, 0, 1},
		{},
	} {
		d := NewDecoder(b)
		if s := d.String(); s != "" || d.Err == nil {
			t.Errorf("String of %x = %q, error %v", b, s, d.Err)
		}
		d = NewDecoder(b)
		if l := d.Strings(); len(l) != 0 || d.Err == nil {
			t.Errorf("Strings of %x = %q, error %v", b, l, d.Err)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 2, 'a', 'b', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDecoder(b)
		l := d.Strings()
		if d.Err != nil {
			return
		}
		var e Encoder
		e.Strings(l)
		again := NewDecoder(e.Buf)
		if !reflect.DeepEqual(again.Strings(), l) {
			t.Fatalf("%x does not survive", b)
		}
	})
}

type duplex struct {
	io.Reader
	io.Writer
}

func FuzzConn(f *testing.F) {
	f.Add([]byte{0xf5, 0xf5, 0x5f, 0xf5})
	f.Add(append([]byte{0xff, 0xff, 0x55, 0x55}, make([]byte, 24)...))
	f.Add([]byte{0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := NewConn(duplex{bytes.NewReader(b), io.Discard})
		for {
			ev, frame, err := c.Next(&Progress{})
			if err != nil {
				return
			}
			if ev == EventFrame {
				ParseChunk(frame)
			}
		}
	})
}

func TestConnEvents(t *testing.T) {
	var buf bytes.Buffer
	c := NewConn(duplex{&buf, &buf})
	c.WriteWord(LaunchWord)
	c.WriteWord(CancelWord)
	c.WriteProgress(Progress{1, 2, 3, 4})
	c.WriteChunk([]byte("abcde"), false)
	c.WriteChunk(nil, true)
	c.Flush()
	var p Progress
	for i, want := range []Event{EventLaunch, EventCancel, EventProgress, EventFrame, EventFrame} {
		ev, frame, err := c.Next(&p)
		if err != nil || ev != want {
			t.Fatalf("event %d is %v, %v; want %v", i, ev, err, want)
		}
		if ev == EventFrame {
			ch, err := ParseChunk(frame)
			if err != nil || ch.Cancelled != (i == 4) || i == 3 && string(ch.Data) != "abcde" {
				t.Errorf("chunk %+v, %v", ch, err)
			}
		}
	}
	if p != (Progress{1, 2, 3, 4}) {
		t.Errorf("progress %+v", p)
	}
	if _, _, err := c.Next(&p); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestTooLong(t *testing.T) {
	c := NewConn(duplex{bytes.NewReader([]byte{0, 0x40, 0, 1}), io.Discard})
	_, _, err := c.Next(&Progress{})
	if want := "message length (4194305) > maximum possible size (4194304)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestErrno(t *testing.T) {
	for e, name := range map[syscall.Errno]string{
		0: "", syscall.ENOENT: "ENOENT", 35: "EDEADLOCK", 11: "EAGAIN", 95: "ENOTSUP", 132: "ERFKILL", 133: "EINVAL", 131: "ENOTRECOVERABLE", 4000: "EINVAL",
	} {
		if got := ErrnoName(e); got != name {
			t.Errorf("ErrnoName(%d) = %q, want %q", e, got, name)
		}
	}
	for name, e := range map[string]syscall.Errno{"": 0, "EPERM": syscall.EPERM, "EFOO": syscall.EINVAL, "EDEADLK": syscall.EINVAL, "EWOULDBLOCK": syscall.EINVAL, "EZZZ": syscall.EINVAL} {
		if got := ErrnoNumber(name); got != e {
			t.Errorf("ErrnoNumber(%q) = %d, want %d", name, got, e)
		}
	}
	if s := Strerror(syscall.ENOENT); s != "No such file or directory" {
		t.Error(s)
	}
}
