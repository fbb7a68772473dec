package handle

import (
	"sync"
	"syscall"
)

// readAhead reads a file that is read from one end to the other in pieces larger than the
// kernel's, which are of 128 KB, and the next piece while the program uses one.
type readAhead struct {
	f  *nodeFS
	id int64
	n  *knownNode

	mu    sync.Mutex
	next  int64       // where a reader in order goes on
	runs  int64       // how much was read in order
	piece *aheadPiece // being used
	after *aheadPiece // for later; nil: none
}

// aheadPiece is a part of a file.
type aheadPiece struct {
	at, size int64
	version  uint64 // of the node's content, before it was read
	done     chan struct{}
	data     []byte // less than size at the end of the file
	errno    syscall.Errno
}

const (
	// aheadMinimum is how much must have been read in order.
	aheadMinimum = 256 << 10
	aheadSize    = windowSlot
)

// read fills buf from offset on, or less at the end of the file.
func (a *readAhead) read(buf []byte, offset int64) ([]byte, syscall.Errno) {
	done := 0
	for done < len(buf) {
		at := offset + int64(done)
		p := a.pieceWith(at, int64(len(buf)-done))
		if p != nil {
			<-p.done
		}
		if p == nil || p.errno != 0 { // an error comes where it belongs
			n, errno := a.f.get(a.id, buf[done:], at)
			if done += n; done > 0 {
				errno = 0
			}
			return buf[:done], errno
		}
		n := copy(buf[done:], p.data[min(at-p.at, int64(len(p.data))):])
		if done += n; at+int64(n) < p.at+p.size {
			break // that is all that was asked for, or all there is
		}
	}
	return buf[:done], 0
}

// pieceWith returns the piece that has an offset, where n bytes are about to be read; nil if
// there should be none.
func (a *readAhead) pieceWith(offset, n int64) *aheadPiece {
	a.mu.Lock()
	defer a.mu.Unlock()
	// The kernel's requests may overtake each other.
	if offset < a.next-aheadMinimum || offset > a.next+aheadMinimum {
		a.next, a.runs = offset, 0
	}
	if end := offset + n; end > a.next {
		a.runs += end - a.next
		a.next = end
	}
	version := a.n.changes.Load()
	has := func(p *aheadPiece) bool {
		return p != nil && p.version == version && offset >= p.at && offset < p.at+p.size
	}
	switch {
	case has(a.piece):
	case has(a.after):
		a.piece, a.after = a.after, nil
	case a.runs >= aheadMinimum && a.f.window != nil:
		a.piece, a.after = a.fetch(offset, version), nil
	default:
		return nil
	}
	if p := a.piece; a.after == nil && offset-p.at >= p.size/4 {
		a.after = a.fetch(p.at+p.size, version)
	}
	return a.piece
}

// fetch begins to read a piece.
func (a *readAhead) fetch(at int64, version uint64) *aheadPiece {
	p := &aheadPiece{at: at, size: aheadSize, version: version, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.data = make([]byte, p.size)
		n, errno := a.f.get(a.id, p.data, at)
		p.data, p.errno = p.data[:n], errno
	}()
	return p
}
