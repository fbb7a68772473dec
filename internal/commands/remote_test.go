package commands

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gofish/internal/proto"
)

// remoteScript uses two servers at once; nothing of it needs a launch.
const remoteScript = `
eval "$($SERVER --listen)"; one=$GUESTFISH_PID
eval "$($SERVER --listen)"; two=$GUESTFISH_PID
for i in 1 2 3 4 5 6 7 8 9; do [ -S /tmp/.guestfish-$(id -u)/socket-$two ] || sleep 0.1; done
$CLIENT --remote=$one set-memsize 900
$CLIENT --remote=$two set-memsize 901
$CLIENT --remote=$one get-memsize
$CLIENT --remote get-memsize
$CLIENT --remote echo 'a  b' '' '"' : echo c
$CLIENT --remote -- -nosuch : -set-memsize abc : echo after
$CLIENT --remote <<'END'
# comment
echo 'one  two' | tr a-z A-Z
!echo host
-mount a b
<!echo echo generated
time nosuch
END
echo status $?
$CLIENT --remote echo x; echo status $?
x=$($CLIENT --remote=$one get-memsize); echo "x=$x"
$CLIENT --remote=$one quit; echo status $?
$CLIENT --remote=$one echo x; echo status $?
[ -e /tmp/.guestfish-$(id -u)/socket-$one ] && echo left
[ -e /tmp/.guestfish-$(id -u)/socket-$two ] && echo left
true
`

// Both programs as server and as client of both print the same.
func TestRemoteLikeGuestfish(t *testing.T) {
	if testing.Short() {
		t.Skip("runs guestfish many times")
	}
	guestfish, err := exec.LookPath("guestfish")
	if err != nil {
		t.Skip("guestfish is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(t.TempDir(), "guestfish")
	if err := os.Symlink(self, ours); err != nil {
		t.Fatal(err)
	}
	run := func(server, client string) string {
		c := exec.Command("bash", "-c", remoteScript)
		c.Env = append(os.Environ(), asShell+"=guestfish", "LIBGUESTFS_BACKEND=direct", "HOME=/root", "SERVER="+server, "CLIENT="+client)
		var out bytes.Buffer
		c.Stdout = &out
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := run(guestfish, guestfish)
	if !strings.Contains(want, "ONE  TWO") {
		t.Fatalf("guestfish itself prints %s", want)
	}
	for _, pair := range [][2]string{{ours, ours}, {ours, guestfish}, {guestfish, ours}} {
		expect(t, strings.Join(pair[:], " "), run(pair[0], pair[1]), want)
	}
}

func FuzzRemoteCall(f *testing.F) {
	var e proto.Encoder
	call := remoteCall{"echo", []string{"a", "", "bcde"}, true}
	call.encode(&e)
	f.Add(e.Buf)
	f.Add([]byte{0, 0, 0, 1, 'x', 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		call, err := readRemoteCall(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		var e proto.Encoder
		call.encode(&e)
		again, err := readRemoteCall(bufio.NewReader(bytes.NewReader(e.Buf)))
		if err != nil || !reflect.DeepEqual(call, again) {
			t.Errorf("%+v comes back as %+v, %v", call, again, err)
		}
	})
}
