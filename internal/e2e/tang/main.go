// Tang is a server for Clevis to bind disks to (McCallum-Relyea exchange, as the
// tang project has it): it advertises two keys of P-521, signed by one of them, and
// multiplies points by the other.
//
//	tang FILE COMMAND [ARGUMENT...]
//
// It listens on a free port of 127.0.0.1, writes the port to FILE, runs the command
// and ends with it.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
)

// key is a JSON Web Key (RFC 7517). Members stand in the order that a thumbprint
// wants (RFC 7638).
type key struct {
	Alg string   `json:"alg,omitempty"`
	Crv string   `json:"crv"`
	Ops []string `json:"key_ops,omitempty"`
	Kty string   `json:"kty"`
	X   string   `json:"x"`
	Y   string   `json:"y"`
}

const size = 66 // bytes of a number of P-521

var b64 = base64.RawURLEncoding

func number(n *big.Int) string { return b64.EncodeToString(n.FillBytes(make([]byte, size))) }

func public(x, y *big.Int, alg string, ops ...string) key {
	return key{Alg: alg, Crv: "P-521", Ops: ops, Kty: "EC", X: number(x), Y: number(y)}
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

// advertisement is the keys, signed (RFC 7515, flattened).
func advertisement(sign, exchange *ecdsa.PrivateKey) []byte {
	keys := map[string]any{"keys": []key{
		public(sign.X, sign.Y, "ES512", "verify"),
		public(exchange.X, exchange.Y, "ECMR", "deriveKey"),
	}}
	payload := b64.EncodeToString(marshal(keys))
	head := b64.EncodeToString([]byte(`{"alg":"ES512","cty":"jwk-set+json"}`))
	sum := sha512.Sum512([]byte(head + "." + payload))
	r, s, err := ecdsa.Sign(rand.Reader, sign, sum[:])
	if err != nil {
		panic(err)
	}
	sig := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	return marshal(map[string]string{"payload": payload, "protected": head, "signature": b64.EncodeToString(sig)})
}

func coordinate(s string) *big.Int {
	b, _ := b64.DecodeString(s)
	return new(big.Int).SetBytes(b)
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: tang FILE COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	sign, exchange := newKey(), newKey()
	http.HandleFunc("GET /adv/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jose+json")
		w.Write(advertisement(sign, exchange))
	})
	http.HandleFunc("POST /rec/", func(w http.ResponseWriter, r *http.Request) {
		var k key
		if err := json.NewDecoder(r.Body).Decode(&k); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		x, y := coordinate(k.X), coordinate(k.Y)
		//lint:ignore SA1019 package ecdh does not give the whole point
		if !elliptic.P521().IsOnCurve(x, y) {
			http.Error(w, "not a point of P-521", http.StatusBadRequest)
			return
		}
		//lint:ignore SA1019 as above
		x, y = elliptic.P521().ScalarMult(x, y, exchange.D.Bytes())
		w.Header().Set("Content-Type", "application/jwk+json")
		w.Write(marshal(public(x, y, "ECMR", "deriveKey")))
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "tang:", err)
		os.Exit(1)
	}
	go http.Serve(l, nil)
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	bare := public(sign.X, sign.Y, "")
	thumb := sha256.Sum256(marshal(bare))
	os.WriteFile(os.Args[1], []byte(port), 0o600)
	c := exec.Command(os.Args[2], os.Args[3:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), "TANG_PORT="+port, "TANG_THUMBPRINT="+b64.EncodeToString(thumb[:]))
	if err := c.Run(); err != nil {
		os.Exit(1)
	}
}
