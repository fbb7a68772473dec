package api

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"gofish/internal/proto"
)

// EncodeArgs appends all arguments except files, then all optional ones, present
// or not, and returns the mask of those present.
func (a *Action) EncodeArgs(e *proto.Encoder, args, opts []any) (mask uint64, err error) {
	if len(args) != len(a.Args) || len(opts) > len(a.Opts) {
		return 0, fmt.Errorf("%s: %d arguments and %d options given, %d and %d expected", a.Name, len(args), len(opts), len(a.Args), len(a.Opts))
	}
	for i, p := range a.Args {
		if p.Kind.IsFile() {
			continue
		}
		if err := encodeValue(e, p, args[i]); err != nil {
			return 0, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	for i, p := range a.Opts {
		var v any
		if i < len(opts) {
			v = opts[i]
		}
		if v == nil {
			v = zero(p.Kind)
		} else {
			mask |= 1 << i
		}
		if err := encodeValue(e, p, v); err != nil {
			return 0, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return mask, nil
}

func zero(k Kind) any {
	switch {
	case k.IsList():
		return []string{}
	case k == KBool:
		return false
	case k == KInt:
		return 0
	case k == KInt64:
		return int64(0)
	}
	return ""
}

func encodeValue(e *proto.Encoder, p Param, v any) error {
	ok := true
	switch p.Kind {
	case KBool:
		var b bool
		b, ok = v.(bool)
		e.Bool(b)
	case KInt:
		var n int
		n, ok = v.(int)
		if n < math.MinInt32 || n > math.MaxInt32 {
			return fmt.Errorf("%s: integer out of range", p.Name)
		}
		e.Int32(int32(n))
	case KInt64:
		var n int64
		n, ok = v.(int64)
		e.Int64(n)
	case KOptString:
		var s *string
		s, ok = v.(*string)
		e.OptString(s)
	case KBuffer:
		var b []byte
		b, ok = v.([]byte)
		e.Opaque(b)
	default:
		if p.Kind.IsList() {
			var l []string
			l, ok = v.([]string)
			e.Strings(l)
		} else {
			var s string
			s, ok = v.(string)
			e.String(s)
		}
	}
	if !ok {
		return fmt.Errorf("%s: parameter cannot be %T", p.Name, v)
	}
	return nil
}

// ErrArgs says that the body of a call does not hold the action's arguments.
var ErrArgs = errors.New("daemon failed to decode procedure arguments")

// DecodeArgs reads what EncodeArgs wrote; arguments that are files come out nil.
// Optional arguments that an older peer does not know are absent, and bytes
// after the last one are ignored.
func (a *Action) DecodeArgs(d *proto.Decoder, mask uint64) (args, opts []any, err error) {
	args = make([]any, len(a.Args))
	for i, p := range a.Args {
		if !p.Kind.IsFile() {
			args[i] = decodeValue(d, p.Kind)
		}
	}
	if d.Err != nil {
		return nil, nil, ErrArgs
	}
	opts = make([]any, len(a.Opts))
	for i, p := range a.Opts {
		if d.Len() == 0 && mask>>i == 0 {
			break
		}
		v := decodeValue(d, p.Kind)
		if d.Err != nil {
			return nil, nil, ErrArgs
		}
		if mask>>i&1 != 0 {
			opts[i] = v
		}
	}
	return args, opts, nil
}

func decodeValue(d *proto.Decoder, k Kind) any {
	switch {
	case k.IsList():
		return d.Strings()
	case k == KBool:
		return d.Bool()
	case k == KInt:
		return int(d.Int32())
	case k == KInt64:
		return d.Int64()
	case k == KOptString:
		return d.OptString()
	case k == KBuffer:
		return d.Opaque()
	}
	return d.String()
}

// EncodeRet appends a result.
func (a *Action) EncodeRet(e *proto.Encoder, v any) error {
	switch v := v.(type) {
	case nil:
	case int:
		if v < math.MinInt32 || v > math.MaxInt32 {
			return fmt.Errorf("the result is %d, which does not fit into the 32 bits that this call has for it", v)
		}
		e.Int32(int32(v))
	case int64:
		e.Int64(v)
	case bool:
		e.Bool(v)
	case string:
		e.String(v)
	case []byte:
		e.Opaque(v)
	case []string:
		e.Strings(v)
	case Hash:
		e.Uint32(uint32(2 * len(v)))
		for _, p := range v {
			e.String(p.Key)
			e.String(p.Value)
		}
	default:
		rv := reflect.ValueOf(v)
		switch rv.Kind() {
		case reflect.Struct:
			encodeStruct(e, rv)
		case reflect.Slice:
			e.Uint32(uint32(rv.Len()))
			for i := range rv.Len() {
				encodeStruct(e, rv.Index(i))
			}
		default:
			return fmt.Errorf("%s: result of type %T cannot be sent", a.Name, v)
		}
	}
	return nil
}

// DecodeRet reads a result; trailing bytes are ignored.
func (a *Action) DecodeRet(d *proto.Decoder) (any, error) {
	var v any
	switch a.Ret.Kind {
	case RErr:
		return nil, nil
	case RInt:
		v = int(d.Int32())
	case RInt64:
		v = d.Int64()
	case RBool:
		v = d.Bool()
	case RString:
		v = d.String()
	case RBufferOut:
		v = d.Opaque()
	case RStringList:
		v = d.Strings()
	case RHashtable:
		n := d.Count(4)
		h := make(Hash, 0, n/2)
		for i := 0; i+1 < n && d.Err == nil; i += 2 {
			h = append(h, Pair{Key: d.String(), Value: d.String()})
		}
		v = h
	case RStruct:
		v = DecodeStruct(d, StructType(a.Ret.Struct)).Interface()
	case RStructList:
		t := StructType(a.Ret.Struct)
		n := d.Count(4)
		l := reflect.MakeSlice(reflect.SliceOf(t), 0, min(n, 1024))
		for i := 0; i < n && d.Err == nil; i++ {
			l = reflect.Append(l, DecodeStruct(d, t))
		}
		v = l.Interface()
	default:
		return nil, fmt.Errorf("%s: no daemon call returns this kind of result", a.Name)
	}
	if d.Err != nil {
		return nil, fmt.Errorf("failed to parse reply")
	}
	return v, nil
}
