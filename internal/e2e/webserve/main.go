// Webserve serves the files of a folder over HTTP, with ranges.
//
//	webserve FOLDER FILE
//
// It listens on a free port of 127.0.0.1 and writes the port to FILE.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: webserve FOLDER FILE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	port := fmt.Sprintln(l.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(os.Args[2], []byte(port), 0o600); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, http.FileServer(http.Dir(os.Args[1]))))
}
