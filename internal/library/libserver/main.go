// Libserver serves the actions of one C library to the daemon: see package library.
//
//	libserver LIBRARY SYSROOT
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"syscall"
	"time"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// libraries has a constructor for each value of api.Action.Library. What it returns
// has a method for each action, as api.Bind wants it.
var libraries = map[string]func(*guest) (any, error){
	"Augeas":  newAugeas,
	"hivex":   newHivex,
	"journal": newJournal,
	"RPM":     newRPM,
	"tsk":     newTSK,
}

// paramTypes are the types of parameters: the caller has already checked them, so every text is a string.
var paramTypes = func() api.Types {
	t := api.Types{}
	text := []api.Kind{api.KString, api.KDevice, api.KPathname, api.KMountable, api.KDevOrPath, api.KMountableOrPath, api.KFilename, api.KGUID, api.KKey}
	for _, k := range text {
		t[k] = reflect.TypeFor[string]()
	}
	t[api.KOptString] = reflect.TypeFor[*string]()
	t[api.KBuffer] = reflect.TypeFor[[]byte]()
	t[api.KBool] = reflect.TypeFor[bool]()
	t[api.KInt] = reflect.TypeFor[int]()
	t[api.KInt64] = reflect.TypeFor[int64]()
	t[api.KFileOut] = reflect.TypeFor[io.Writer]()
	return t
}()

func main() {
	// Some libraries keep the last error per thread.
	runtime.LockOSThread()
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: libserver LIBRARY SYSROOT; gofish starts it by itself")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "libserver:", err)
		os.Exit(1)
	}
}

// bind connects the rows of a library with the methods that serve them.
func bind(name string, recv any) map[string]*api.Func {
	var served []*api.Action
	for _, a := range api.All.Actions() {
		if a.Library == name {
			served = append(served, a)
		}
	}
	return api.Bind(recv, nil, paramTypes, served)
}

func serve(name, sysroot string, rw io.ReadWriter) error {
	conn := proto.NewConn(rw)
	start := libraries[name]
	if start == nil {
		return reply(conn, nil, nil, fmt.Errorf("there is no library %s", name))
	}
	recv, err := start(&guest{sysroot})
	if err != nil {
		return reply(conn, nil, nil, err)
	}
	funcs := bind(name, recv)
	if err := reply(conn, nil, nil, nil); err != nil {
		return err
	}
	for {
		_, frame, err := conn.Next(&proto.Progress{})
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		d := proto.NewDecoder(frame)
		var h proto.Header
		h.Decode(d)
		a := api.All.ByProc(h.Proc)
		if d.Err != nil || a == nil || funcs[a.Name] == nil {
			return errors.New("a call that is not of this library")
		}
		args, opts, err := a.DecodeArgs(d, h.OptMask)
		if err != nil {
			return err
		}
		i := a.FileParam(api.KFileOut)
		if i >= 0 {
			args[i] = io.Writer(&chunks{conn: conn})
		}
		result, err := funcs[a.Name].Call(nil, args, opts)
		if i >= 0 {
			if err := conn.WriteChunk(nil, false); err != nil {
				return err
			}
		}
		if err := reply(conn, a, result, err); err != nil {
			return err
		}
	}
}

func reply(conn *proto.Conn, a *api.Action, result any, err error) error {
	e := &proto.Encoder{}
	status := uint32(proto.StatusOK)
	if err != nil {
		status = proto.StatusError
	}
	h := proto.ReplyHeader(0, 0, status)
	h.Encode(e)
	if err == nil && a != nil {
		if err := a.EncodeRet(e, result); err != nil {
			return err
		}
	}
	if len(e.Buf) > proto.MaxMessage {
		return reply(conn, nil, nil, errors.New("the result is too large for one message, of 4 MB at most"))
	}
	if err != nil {
		b := proto.ErrorBody{Message: err.Error()}
		var errno syscall.Errno
		if errors.As(err, &errno) {
			b.Errno = proto.ErrnoName(errno)
		}
		b.Encode(e)
	}
	if err := conn.WriteFrame(e.Buf); err != nil {
		return err
	}
	return conn.Flush()
}

// chunks writes a file's data as chunks.
type chunks struct {
	conn *proto.Conn
	told time.Time // when the daemon was last told
}

// working tells the daemon, from time to time, that a call that writes to out is still
// running: it can end the process if the client cancels.
func working(out io.Writer) error {
	c, ok := out.(*chunks)
	if now := time.Now(); ok && now.Sub(c.told) > 100*time.Millisecond {
		c.told = now
		return c.conn.WriteProgress(proto.Progress{})
	}
	return nil
}

func (c *chunks) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), proto.MaxChunk)
		if err := c.conn.WriteChunk(rest[:n], false); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}
