package api

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"gofish/internal/proto"
)

// filled returns a struct of a type with another value in each field, the number of bytes
// that it has on the wire, and how many of its fields are devices.
func filled(t reflect.Type) (v reflect.Value, devices int) {
	v = reflect.New(t).Elem()
	for i := range t.NumField() {
		switch f := v.Field(i); f.Type() {
		case reflect.TypeFor[string]():
			f.SetString(fmt.Sprint("text", i))
		case reflect.TypeFor[DeviceField]():
			f.SetString(fmt.Sprint("/dev/vda", i))
			devices++
		case reflect.TypeFor[[]byte]():
			f.SetBytes([]byte{0, byte(i)})
		case reflect.TypeFor[UUID]():
			f.Set(reflect.ValueOf(UUID([]byte(strings.Repeat("u", 31) + "v"))))
		default:
			f.Set(reflect.ValueOf(i + 'a').Convert(f.Type()))
		}
	}
	return v, devices
}

func TestEveryStruct(t *testing.T) {
	translate := func(s string) string { return strings.Replace(s, "/dev/vd", "/dev/sd", 1) }
	all := 0
	for name, typ := range structTypes {
		v, devices := filled(typ)
		all += devices

		var e proto.Encoder
		encodeStruct(&e, v)
		d := proto.NewDecoder(e.Buf)
		if got := DecodeStruct(d, typ); d.Err != nil || d.Len() > 0 || !reflect.DeepEqual(got.Interface(), v.Interface()) {
			t.Errorf("%s: %+v came back as %+v, %v, and %d bytes more", name, v, got, d.Err, d.Len())
		}
		n := 0
		for _, value := range FieldValues(v.Interface()) {
			if !reflect.DeepEqual(value, v.Field(n).Interface()) {
				t.Errorf("%s: field %d is %v, not %v", name, n, value, v.Field(n))
			}
			n++
		}
		if n != typ.NumField() {
			t.Errorf("%s: %d fields, not %d", name, n, typ.NumField())
		}

		one := &Action{Ret: RetStruct("x", name)}
		if got := fmt.Sprint(one.TranslateDevices(v.Interface(), translate)); strings.Count(got, "/dev/sd") != devices || strings.Contains(got, "/dev/vd") {
			t.Errorf("%s: the %d devices of %v became %s", name, devices, v, got)
		}
		list := reflect.Append(reflect.MakeSlice(reflect.SliceOf(typ), 0, 2), v, v)
		many := &Action{Ret: RetStructs("x", name)}
		if got := fmt.Sprint(many.TranslateDevices(list.Interface(), translate)); strings.Count(got, "/dev/sd") != 2*devices || strings.Contains(got, "/dev/vd") {
			t.Errorf("%s: the %d devices of a list became %s", name, 2*devices, got)
		}
	}
	if all < 5 {
		t.Errorf("only %d fields of all structs are devices", all)
	}
}

// A field that is called a device is one: its name is translated on the way out.
func TestDevicesAreDeviceFields(t *testing.T) {
	for name, typ := range structTypes {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if strings.Contains(strings.ToLower(f.Name), "device") && f.Type != reflect.TypeFor[DeviceField]() {
				t.Errorf("%s.%s is a %s, not a DeviceField", name, f.Name, f.Type)
			}
		}
	}
}

func TestTranslateDevicesInTables(t *testing.T) {
	up := strings.ToUpper
	for _, c := range []struct {
		ret      Ret
		in, want any
	}{
		{RetDevice("x"), "a", "A"},
		{RetMountable("x"), "a", "A"},
		{RetString("x"), "a", "a"},
		{RetDevices("x"), []string{"a", "b"}, []string{"A", "B"}},
		{RetStrings("x"), []string{"a"}, []string{"a"}},
		{RetHash("x", DeviceName, Plain), Hash{{Key: "a", Value: "b"}}, Hash{{Key: "A", Value: "b"}}},
		{RetHash("x", Plain, MountableName), Hash{{Key: "a", Value: "b"}}, Hash{{Key: "a", Value: "B"}}},
		{Err, nil, nil},
		{RetBuffer("x"), []byte("a"), []byte("a")},
	} {
		if got := (&Action{Ret: c.ret}).TranslateDevices(c.in, up); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v became %v, not %v", c.ret, c.in, got, c.want)
		}
	}
}

func BenchmarkEncodeStruct(b *testing.B) {
	entry := Dirent{Ino: 1, Ftyp: 'r', Name: "a name as they are"}
	e := proto.Encoder{Buf: make([]byte, 0, 4096)}
	for b.Loop() {
		e.Buf = e.Buf[:0]
		EncodeStruct(&e, entry)
	}
}
