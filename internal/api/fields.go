package api

import (
	"fmt"
	"iter"
	"reflect"

	"gofish/internal/proto"
)

// fieldKind says how fields of a type travel.
type fieldKind struct {
	encode func(e *proto.Encoder, field reflect.Value)
	decode func(d *proto.Decoder, field reflect.Value)
}

var (
	textField = fieldKind{
		func(e *proto.Encoder, f reflect.Value) { e.String(f.String()) },
		func(d *proto.Decoder, f reflect.Value) { f.SetString(d.String()) },
	}
	int64Field = fieldKind{
		func(e *proto.Encoder, f reflect.Value) { e.Int64(f.Int()) },
		func(d *proto.Decoder, f reflect.Value) { f.SetInt(d.Int64()) },
	}
	uint32Field = fieldKind{
		func(e *proto.Encoder, f reflect.Value) { e.Uint32(uint32(f.Uint())) },
		func(d *proto.Decoder, f reflect.Value) { f.SetUint(uint64(d.Uint32())) },
	}
)

// fieldKinds lists every type that a field of a struct may have. How a value is printed
// is up to the type's own methods, in package types.
var fieldKinds = map[reflect.Type]fieldKind{
	reflect.TypeFor[string]():      textField,
	reflect.TypeFor[DeviceField](): textField,
	reflect.TypeFor[int64]():       int64Field,
	reflect.TypeFor[ByteCount]():   int64Field,
	reflect.TypeFor[uint32]():      uint32Field,
	reflect.TypeFor[Char]():        {uint32Field.encode, func(d *proto.Decoder, f reflect.Value) { f.SetUint(uint64(byte(d.Uint32()))) }},
	reflect.TypeFor[int32](): {
		func(e *proto.Encoder, f reflect.Value) { e.Int32(int32(f.Int())) },
		func(d *proto.Decoder, f reflect.Value) { f.SetInt(int64(d.Int32())) },
	},
	reflect.TypeFor[uint64](): {
		func(e *proto.Encoder, f reflect.Value) { e.Uint64(f.Uint()) },
		func(d *proto.Decoder, f reflect.Value) { f.SetUint(d.Uint64()) },
	},
	reflect.TypeFor[OptPercent](): {
		func(e *proto.Encoder, f reflect.Value) { e.Float32(float32(f.Float())) },
		func(d *proto.Decoder, f reflect.Value) { f.SetFloat(float64(d.Float32())) },
	},
	reflect.TypeFor[[]byte](): {
		func(e *proto.Encoder, f reflect.Value) { e.Opaque(f.Bytes()) },
		func(d *proto.Decoder, f reflect.Value) { f.SetBytes(d.Opaque()) },
	},
	reflect.TypeFor[UUID](): {
		func(e *proto.Encoder, f reflect.Value) {
			u := f.Interface().(UUID)
			e.Fixed(u[:])
		},
		func(d *proto.Decoder, f reflect.Value) { reflect.Copy(f, reflect.ValueOf(d.Fixed(len(UUID{})))) },
	},
}

// layout is what a struct of the catalogue consists of. It is computed once, since
// long lists are encoded in the appliance, whose processor may be emulated.
type layout []struct {
	name string
	kind fieldKind
}

var layouts = func() map[reflect.Type]layout {
	all := map[reflect.Type]layout{}
	for name, t := range structTypes {
		l := make(layout, t.NumField())
		for i := range l {
			f := t.Field(i)
			kind, ok := fieldKinds[f.Type]
			if !ok {
				panic(fmt.Sprintf("api: field %s of struct %s has type %s", f.Name, name, f.Type))
			}
			l[i].name, l[i].kind = f.Tag.Get("xdr"), kind
		}
		all[t] = l
	}
	return all
}()

func layoutOf(t reflect.Type) layout {
	l, ok := layouts[t]
	if !ok {
		panic(fmt.Sprintf("api: %s is not a struct of the catalogue", t))
	}
	return l
}

// Fields ranges over the fields of the struct that p points to: the name of each and a
// pointer to it. The order is that of the protocol.
func Fields(p any) iter.Seq2[string, any] {
	v := reflect.ValueOf(p).Elem()
	return func(yield func(string, any) bool) {
		for i, f := range layoutOf(v.Type()) {
			if !yield(f.name, v.Field(i).Addr().Interface()) {
				return
			}
		}
	}
}

// FieldValues ranges over the fields of a struct: the name of each and its value.
func FieldValues(v any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		rv := reflect.ValueOf(v)
		for i, f := range layoutOf(rv.Type()) {
			if !yield(f.name, rv.Field(i).Interface()) {
				return
			}
		}
	}
}

// EncodeStruct appends a struct.
func EncodeStruct(e *proto.Encoder, v any) { encodeStruct(e, reflect.ValueOf(v)) }

func encodeStruct(e *proto.Encoder, v reflect.Value) {
	for i, f := range layoutOf(v.Type()) {
		f.kind.encode(e, v.Field(i))
	}
}

// DecodeStruct reads a struct of type t.
func DecodeStruct(d *proto.Decoder, t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	for i, f := range layoutOf(t) {
		f.kind.decode(d, v.Field(i))
	}
	return v
}

// TranslateDevices replaces each name of a device in a result, wherever the catalogue
// says that there is one, with the name that translate returns for it. The result is changed
// in place if possible.
func (a *Action) TranslateDevices(result any, translate func(string) string) any {
	switch v := result.(type) {
	case string:
		if a.Ret.Elem != Plain {
			return translate(v)
		}
	case []string:
		if a.Ret.Elem != Plain {
			for i := range v {
				v[i] = translate(v[i])
			}
		}
	case Hash:
		for i := range v {
			if a.Ret.Elem != Plain {
				v[i].Key = translate(v[i].Key)
			}
			if a.Ret.Value != Plain {
				v[i].Value = translate(v[i].Value)
			}
		}
	default:
		switch rv := reflect.ValueOf(result); a.Ret.Kind {
		case RStruct:
			c := reflect.New(rv.Type()).Elem()
			c.Set(rv)
			translateFields(c, translate)
			return c.Interface()
		case RStructList:
			for i := range rv.Len() {
				translateFields(rv.Index(i), translate)
			}
		}
	}
	return result
}

func translateFields(v reflect.Value, translate func(string) string) {
	for _, field := range Fields(v.Addr().Interface()) {
		if device, ok := field.(*DeviceField); ok {
			*device = DeviceField(translate(string(*device)))
		}
	}
}
