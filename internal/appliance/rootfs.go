package appliance

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// rootFeatures: no journal and no checksums, since it is never written to.
const rootFeatures = "none,filetype,extent,sparse_super,large_file,huge_file,dir_index,ext_attr,dir_nlink,extra_isize,flex_bg"

// makeRoot writes a folder as an ext4 image that fits it closely. mke2fs comes
// from the given function, so that a tree can use its own.
func makeRoot(ctx context.Context, dir, image, uuid string, mke2fs func(args ...string) (*exec.Cmd, error)) error {
	var blocks, inodes int64
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		inodes++
		blocks += (fi.Size() + 4095) / 4096
		if fi.IsDir() {
			blocks++
		}
		return nil
	})
	if err != nil {
		return err
	}
	inodes += 256
	var last error
	// Bitmaps, inode tables and index blocks take their share; if the guess is too
	// small, a larger one follows.
	for _, slack := range []float64{1.02, 1.08, 1.2} {
		size := int64(float64(blocks+inodes/16)*slack) + 1024
		os.Remove(image)
		c, err := mke2fs("-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-m", "0", "-O", rootFeatures,
			"-N", strconv.FormatInt(inodes, 10), "-L", "gofish", "-U", uuid,
			"-E", "root_owner=0:0,hash_seed="+uuid+",lazy_itable_init=0,nodiscard", "-d", dir, image, strconv.FormatInt(size, 10))
		if err != nil {
			return err
		}
		c.Env = append(os.Environ(), "MKE2FS_SYNC=0", "MKE2FS_CONFIG=/dev/null", "LC_ALL=C", "SOURCE_DATE_EPOCH=1")
		out, err := c.CombinedOutput()
		if err == nil {
			return ownByRoot(image)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = fmt.Errorf("mke2fs: %w: %s", err, bytes.TrimSpace(out))
	}
	return last
}

// ownByRoot gives all inodes of an ext4 image without checksums to user and group
// 0: mke2fs -d copies the owners of the source, who need not be root
// (Documentation/filesystems/ext4: superblock, group descriptors, inodes).
func ownByRoot(image string) error {
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	le := binary.LittleEndian
	sb := make([]byte, 1024)
	if _, err := f.ReadAt(sb, 1024); err != nil {
		return err
	}
	if le.Uint16(sb[0x38:]) != 0xef53 {
		return fmt.Errorf("%s: not an ext4 file system", image)
	}
	if le.Uint32(sb[0x64:])&0x400 != 0 || le.Uint32(sb[0x60:])&0x80 != 0 {
		return fmt.Errorf("%s: has checksums or 64-bit descriptors", image)
	}
	blockSize := int64(1024) << le.Uint32(sb[0x18:])
	inodes, perGroup := int64(le.Uint32(sb[0:])), int64(le.Uint32(sb[0x28:]))
	inodeSize := int64(le.Uint16(sb[0x58:]))
	first := int64(le.Uint32(sb[0x14:]))
	if perGroup == 0 || inodeSize < 128 || blockSize > 65536 {
		return fmt.Errorf("%s: damaged superblock", image)
	}
	table := make([]byte, perGroup*inodeSize)
	desc := make([]byte, 32)
	for g := int64(0); g < (inodes+perGroup-1)/perGroup; g++ {
		if _, err := f.ReadAt(desc, (first+1)*blockSize+32*g); err != nil {
			return err
		}
		at := int64(le.Uint32(desc[8:])) * blockSize
		if _, err := f.ReadAt(table, at); err != nil && err != io.EOF {
			return err
		}
		changed := false
		for i := int64(0); i < perGroup; i++ {
			ino := table[i*inodeSize:]
			for _, o := range []int{0x02, 0x18, 0x78, 0x7a} { // uid, gid, and their high halves
				if ino[o]|ino[o+1] != 0 {
					ino[o], ino[o+1] = 0, 0
					changed = true
				}
			}
		}
		if changed {
			if _, err := f.WriteAt(table, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// rootUUID reads the UUID of an ext2, ext3 or ext4 image.
func rootUUID(image string) (string, error) {
	f, err := os.Open(image)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sb := make([]byte, 0x78)
	if _, err := f.ReadAt(sb, 1024); err != nil {
		return "", fmt.Errorf("%s: cannot read extfs magic in superblock: %w", image, err)
	}
	if sb[0x38] != 0x53 || sb[0x39] != 0xef {
		return "", fmt.Errorf("%s: appliance is not an extfs filesystem", image)
	}
	return formatUUID(sb[0x68:0x78]), nil
}

func formatUUID(b []byte) string {
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:32]
}

// uuidOf makes a UUID of a key (RFC 9562 §5.8, version 8).
func uuidOf(sum [32]byte) string {
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return formatUUID(u)
}
