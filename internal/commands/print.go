package commands

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"unsafe"

	"gofish/internal/api"
)

// printResult writes a result as guestfish does. A failed write is the writer's
// to remember.
func printResult(w io.Writer, r api.Ret, v any) {
	switch r.Kind {
	case api.RErr:
	case api.RInt, api.RInt64:
		fmt.Fprintln(w, formatInt(r.Format, v))
	case api.RConstOptString:
		text := "(null)"
		if p := v.(*string); p != nil {
			text = *p
		}
		fmt.Fprintln(w, text)
	case api.RStringList:
		for _, s := range v.([]string) {
			fmt.Fprintln(w, s)
		}
	case api.RHashtable:
		for _, p := range v.(api.Hash) {
			fmt.Fprintf(w, "%s: %s\n", p.Key, p.Value)
		}
	case api.RStruct:
		printStruct(w, "", v)
	case api.RStructList:
		rv := reflect.ValueOf(v)
		for i := range rv.Len() {
			fmt.Fprintf(w, "[%d] = {\n", i)
			printStruct(w, "  ", rv.Index(i).Interface())
			fmt.Fprintln(w, "}")
		}
	case api.RBufferOut:
		w.Write(v.([]byte))
	default: // text and truth values
		if text, ok := v.(string); ok { // which may be large: fmt would copy it
			w.Write(unsafe.Slice(unsafe.StringData(text), len(text)))
			io.WriteString(w, "\n")
			return
		}
		fmt.Fprintln(w, v)
	}
}

func formatInt(f api.Format, v any) string {
	n := reflect.ValueOf(v).Int()
	bits := uint64(n)
	if _, ok := v.(int); ok {
		bits = uint64(uint32(n)) // an int of the protocol has 32 bits
	}
	switch {
	case f == api.OctalFormat && n != 0:
		return "0" + strconv.FormatUint(bits, 8)
	case f == api.HexFormat && n != 0:
		return "0x" + strconv.FormatUint(bits, 16)
	}
	return strconv.FormatInt(n, 10)
}

func printStruct(w io.Writer, indent string, v any) {
	for name, value := range api.FieldValues(v) {
		if b, ok := value.([]byte); ok {
			value = printable(b)
		}
		fmt.Fprintf(w, "%s%s: %v\n", indent, name, value)
	}
}

// printable writes bytes outside ASCII's printable range as \xhh.
func printable(b []byte) string {
	var out []byte
	for _, c := range b {
		if c >= ' ' && c <= '~' {
			out = append(out, c)
		} else {
			out = fmt.Appendf(out, `\x%02x`, c)
		}
	}
	return string(out)
}
