package daemon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gofish/internal/api"
)

func (d Actions) Isoinfo(isofile Path) (api.ISOInfo, error) {
	f, err := d.openContent(isofile)
	if err != nil {
		return api.ISOInfo{}, wrap(err, "%s", isofile)
	}
	defer f.Close()
	info, err := isoDescriptor(f)
	if err != nil {
		return info, fmt.Errorf("%s: %w", isofile, err)
	}
	return info, nil
}

func (d Actions) IsoinfoDevice(device Device) (api.ISOInfo, error) {
	f, err := os.Open(string(device))
	if err != nil {
		return api.ISOInfo{}, wrap(errnoOf(err), "%s", d.shownDevice(device))
	}
	defer f.Close()
	info, err := isoDescriptor(f)
	if err != nil {
		return info, fmt.Errorf("%s: %w", d.shownDevice(device), err)
	}
	return info, nil
}

// isoDescriptor reads the primary volume descriptor (ECMA-119 §8.4), the first one,
// at the 16th sector of 2048 bytes. Positions here are the standard's less one.
func isoDescriptor(r io.ReaderAt) (api.ISOInfo, error) {
	var b [2048]byte
	var info api.ISOInfo
	_, err := r.ReadAt(b[:], 16*2048)
	if err != nil && err != io.EOF {
		return info, errnoOf(err)
	}
	if err != nil || b[0] != 1 || string(b[1:6]) != "CD001" {
		return info, errors.New("this is not an ISO 9660 file system")
	}
	text := func(at, n int) string { return strings.TrimRight(string(b[at:at+n]), " \x00") }
	info = api.ISOInfo{
		SystemID: text(8, 32), VolumeID: text(40, 32),
		VolumeSpaceSize:      binary.LittleEndian.Uint32(b[80:]),
		VolumeSetSize:        uint32(binary.LittleEndian.Uint16(b[120:])),
		VolumeSequenceNumber: uint32(binary.LittleEndian.Uint16(b[124:])),
		LogicalBlockSize:     uint32(binary.LittleEndian.Uint16(b[128:])),
		VolumeSetID:          text(190, 128), PublisherID: text(318, 128), DataPreparerID: text(446, 128),
		ApplicationID: text(574, 128), CopyrightFileID: text(702, 37), AbstractFileID: text(739, 37),
		BibliographicFileID: text(776, 37),
		VolumeCreationT:     isoTime(b[813:830]), VolumeModificationT: isoTime(b[830:847]),
		VolumeExpirationT: isoTime(b[847:864]), VolumeEffectiveT: isoTime(b[864:881]),
	}
	return info, nil
}

// isoTime reads YYYYMMDDhhmmss, hundredths, and a zone in quarters of an hour (§8.4.26.1);
// -1 if none is given.
func isoTime(b []byte) int64 {
	digits := string(b[:14])
	if strings.Trim(digits, "0") == "" || digits[:4] == "0000" {
		return -1
	}
	if _, err := strconv.ParseUint(digits, 10, 64); err != nil {
		return -1
	}
	t, err := time.Parse("20060102150405", digits)
	if err != nil {
		return -1
	}
	return t.Unix() - int64(int8(b[16]))*15*60
}
