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

// StructType returns the Go type of a struct of the catalogue, nil if there is none.
func StructType(name string) reflect.Type { return structTypes[name] }
