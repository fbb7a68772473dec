package daemon

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"slices"

	"gofish/internal/compression"
)

// unpackers are the tools that unpack each kind of compression.
var unpackers = map[string][]string{
	"gzip":     {"gzip", "-dc"},
	"compress": {"gzip", "-dc"},
	"bzip2":    {"bzip2", "-dc"},
	"xz":       {"xz", "-dc"},
	"lzma":     {"xz", "--format=lzma", "-dc"},
	"zstd":     {"zstd", "-dcq"},
	"lz4":      {"lz4", "-dc"},
	"lzop":     {"lzop", "-dc"},
}

// packers are the tools for the kinds of compression that a caller may ask for.
var packers = map[string]string{
	"compress": "compress",
	"gzip":     "gzip",
	"bzip2":    "bzip2",
	"xz":       "xz",
	"lzop":     "lzop",
	"lzma":     "lzma",
	"zstd":     "zstd",
}

// packerFor finds the tool for a kind of compression, empty for none.
func packerFor(compress *string) (string, error) {
	if compress == nil {
		return "", nil
	}
	tool, ok := packers[*compress]
	if !ok {
		return "", fmt.Errorf("unknown compression type: %s", *compress)
	}
	return tool, nil
}

// decompress reads a file, unpacked if it is compressed in one of the kinds, or in any
// if none are given. Any other file is passed through. Closing leaves the file open.
func (d *Daemon) decompress(f io.Reader, kinds ...string) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(d.until(f), 64<<10)
	head, err := r.Peek(compression.HeadSize)
	if err != nil && err != io.EOF {
		return nil, err
	}
	kind := compression.Of(head)
	if len(kinds) > 0 && !slices.Contains(kinds, kind) {
		kind = ""
	}
	switch kind {
	case "":
		return io.NopCloser(r), nil
	case "gzip":
		return gzip.NewReader(r)
	case "bzip2":
		return io.NopCloser(bzip2.NewReader(r)), nil
	}
	return startFilter(d.call, r, unpackers[kind]...), nil
}

// filter is a stream that passes through a tool.
type filter struct {
	*io.PipeReader
	cancel func()
	done   chan struct{}
}

// startFilter runs a tool on the data from r. If the tool fails, Read returns
// its error at the end.
func startFilter(ctx context.Context, r io.Reader, args ...string) *filter {
	ctx, cancel := context.WithCancel(ctx)
	pr, pw := io.Pipe()
	f := &filter{pr, cancel, make(chan struct{})}
	go func() {
		defer close(f.done)
		pw.CloseWithError((&Tool{Args: args, Stdin: r, Stdout: pw}).Run(ctx))
	}()
	return f
}

// Close ends the tool and waits until it no longer reads from its source.
func (f *filter) Close() error {
	f.PipeReader.Close()
	f.cancel()
	<-f.done
	return nil
}
