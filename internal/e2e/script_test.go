package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 repo + "/testdata/script",
		RequireExplicitExec: true,
		Deadline:            time.Now().Add(limit(40 * time.Minute)),
		UpdateScripts:       os.Getenv("GOFISH_UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"PATH", "XDG_CACHE_HOME", "LIBGUESTFS_BACKEND"} {
				e.Setenv(name, os.Getenv(name))
			}
			e.Setenv("HOME", e.WorkDir)
			// A script that fails leaves nothing mounted.
			e.Defer(func() {
				exec.Command("sh", "-c", `findmnt -rno TARGET | grep "^$0/" | xargs -r umount -l`, e.WorkDir).Run()
			})
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "fuse":
				f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
				if err == nil {
					f.Close()
				}
				return err == nil, nil
			}
			return false, fmt.Errorf("there is no condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// serve VAR [USER:PASSWORD [QUERY]]: a web server for the working folder that lets
			// in who knows them; its address is in VAR.
			"serve": func(ts *testscript.TestScript, neg bool, args []string) {
				files := http.FileServer(http.Dir(ts.Getenv("WORK")))
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if user, password, _ := r.BasicAuth(); len(args) > 1 && user+":"+password != args[1] || len(args) > 2 && r.URL.RawQuery != args[2] {
						http.Error(w, "no", http.StatusForbidden)
						return
					}
					files.ServeHTTP(w, r)
				}))
				ts.Defer(s.Close)
				ts.Setenv(args[0], strings.TrimPrefix(s.URL, "http://"))
			},
			// oneline FILE: the file is one line, not more.
			"oneline": func(ts *testscript.TestScript, neg bool, args []string) {
				if text := ts.ReadFile(args[0]); strings.Count(strings.TrimSuffix(text, "\n"), "\n") != 0 || text == "" {
					ts.Fatalf("%s is not one line: %q", args[0], text)
				}
			},
		},
	})
}
