package api

import "reflect"

// Values of parameters and results are ordinary Go values:
//
//	strings of every kind   string
//	KOptString              *string, nil is null
//	lists                   []string
//	KBuffer                 []byte
//	KBool                   bool
//	KInt                    int, within 32 bits
//	KInt64                  int64
//	KFileIn, KFileOut       string on the host: the name of the file
//
//	RErr nil, RInt int, RInt64 int64, RBool bool, RString and RConstString string,
//	RConstOptString *string, RStringList []string, RHashtable Hash,
//	RStruct a struct of structs.go, RStructList a slice of them, RBufferOut []byte.
//
// Optional arguments are a slice as long as Action.Opts; nil means absent.

// Field is one field of a struct value.
type Field struct {
	Name  string
	Value any // of one of the Go types used in structs.go
}

// StructType returns the Go type of a struct of the catalogue, nil if there is none.
func StructType(name string) reflect.Type { return structTypes[name] }

// Fields lists the fields of a struct value in order.
func Fields(v any) []Field {
	rv := reflect.ValueOf(v)
	t := rv.Type()
	fs := make([]Field, t.NumField())
	for i := range fs {
		fs[i] = Field{Name: t.Field(i).Tag.Get("xdr"), Value: rv.Field(i).Interface()}
	}
	return fs
}
