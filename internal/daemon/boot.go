package daemon

import "gofish/guestfs/types"

func (d Actions) Syslinux(device Device, o types.SyslinuxOptions) error {
	b := argBuilder{args: []string{"syslinux", "--install", "--force"}}
	b.text("--directory", o.Directory)
	return d.onDevice(device, append(b.args, string(device))...)
}

func (d Actions) Extlinux(directory Path) error {
	return d.onFile(directory, "extlinux", "--install")
}

func (d Actions) GrubInstall(root Path, device Device) error {
	dir, err := d.root.Host(root)
	if err != nil {
		return wrap(err, "%s", root)
	}
	t := Tool{Args: []string{"grub-install", "--target=i386-pc", "--root-directory=" + dir, string(device)}}
	return d.deviceError(withoutLines(t.Run(d.call), "Installing for", "cannot open directory"), device)
}
