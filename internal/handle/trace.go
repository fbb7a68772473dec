package handle

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"gofish/internal/api"
	"gofish/internal/visible"
)

// traceCall is the text of a trace event for a call: the action and its
// arguments, in a form that is also a line of a script.
func traceCall(a *api.Action, args, opts []any) string {
	var b strings.Builder
	b.WriteString(a.Name)
	for i, p := range a.Args {
		b.WriteByte(' ')
		if p.Kind == api.KKey {
			b.WriteString(`"***"`)
		} else {
			b.WriteString(traceValue(p, args[i]))
		}
	}
	for i, p := range a.Opts {
		if i >= len(opts) || opts[i] == nil {
			continue
		}
		s := traceValue(p, opts[i])
		b.WriteString(` "` + p.Name + ":" + strings.Trim(s, `"`) + `"`)
	}
	return b.String()
}

func traceValue(p api.Param, v any) string {
	switch v := v.(type) {
	case string:
		return visible.Quote(v)
	case *string:
		if v == nil {
			return "NULL"
		}
		return visible.Quote(*v)
	case []string:
		return `"` + strings.Join(v, " ") + `"`
	case []byte:
		return traceBytes(v)
	case *os.File:
		return visible.Quote(v.Name())
	case io.Reader, io.Writer:
		return fmt.Sprintf("<%T>", v)
	case int:
		if p.Unit == api.Octal && v > 7 {
			return fmt.Sprintf("0%o", v)
		}
	}
	return fmt.Sprint(v)
}

// traceBytes shortens a buffer to what a person reads.
func traceBytes(b []byte) string {
	const most = 256
	var s strings.Builder
	s.WriteByte('"')
	for i, c := range b {
		if i == most {
			fmt.Fprintf(&s, "\"<truncated, original size %d bytes>", len(b))
			return s.String()
		}
		if c >= ' ' && c < 0x7f {
			s.WriteByte(c)
		} else {
			fmt.Fprintf(&s, `\x%02x`, c)
		}
	}
	s.WriteByte('"')
	return s.String()
}

// traceResult is the text of a trace event for the result of a call.
func traceResult(a *api.Action, v any, err error) string {
	name := a.Name + " = "
	if err != nil {
		switch a.Ret.Kind {
		case api.RErr, api.RInt, api.RInt64, api.RBool:
			return name + "-1 (error)"
		}
		return name + "NULL (error)"
	}
	switch v := v.(type) {
	case nil:
		return name + "0"
	case bool:
		if v {
			return name + "1"
		}
		return name + "0"
	case int:
		switch a.Ret.Format {
		case api.OctalFormat:
			return fmt.Sprintf("%s0%o", name, v)
		case api.HexFormat:
			return fmt.Sprintf("%s0x%x", name, v)
		}
		return fmt.Sprint(name, v)
	case string:
		return name + visible.Quote(v)
	case *string:
		if v == nil {
			return name + "NULL"
		}
		return name + visible.Quote(*v)
	case []byte:
		return name + traceBytes(v)
	case []string:
		return name + traceList(v)
	case api.Hash:
		var l []string
		for _, p := range v {
			l = append(l, p.Key, p.Value)
		}
		return name + traceList(l)
	case int64:
		return fmt.Sprint(name, v)
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Struct {
		var l []string
		for field, value := range api.FieldValues(v) {
			l = append(l, fmt.Sprintf("%s: %v", field, value))
		}
		return fmt.Sprintf("%s<struct guestfs_%s = %s>", name, a.Ret.Struct, strings.Join(l, ", "))
	}
	return fmt.Sprintf("%s<struct guestfs_%s_list(%d)>", name, a.Ret.Struct, rv.Len())
}

func traceList(l []string) string {
	q := make([]string, len(l))
	for i, s := range l {
		q[i] = visible.Quote(s)
	}
	return "[" + strings.Join(q, ", ") + "]"
}
