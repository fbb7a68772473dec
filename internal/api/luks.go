package api

// luksTable: encrypted devices.
var luksTable = []Action{
	{Name: "luks_open", Proc: 257, Since: "1.5.1", Ret: Err,
		Args:       Args{Device("device"), Key("key"), String("mapname")},
		Group:      "luks",
		Deprecated: "cryptsetup_open",
		Summary:    "open a LUKS device",
		Help: `Opens the LUKS device {device} with {key}, which must fit one of its key slots. The content appears as
/dev/mapper/{mapname}, and can be used like any device. Fails if no slot accepts the key,
{device} is not LUKS, or the name is taken.`},
	{Name: "luks_open_ro", Proc: 258, Since: "1.5.1", Ret: Err,
		Args:       Args{Device("device"), Key("key"), String("mapname")},
		Group:      "luks",
		Deprecated: "cryptsetup_open",
		Summary:    "open a LUKS device read-only",
		Help: `Opens the LUKS device {device} with {key} as luks_open does, but nothing can be written to
/dev/mapper/{mapname}.`},
	{Name: "luks_close", Proc: 259, Since: "1.5.1", Ret: Err,
		Args:       Args{Device("device")},
		Group:      "luks",
		Deprecated: "cryptsetup_close",
		Summary:    "close a LUKS device",
		Help:       `Closes {device}, named /dev/mapper/MAPNAME, as cryptsetup_close does.`},
	{Name: "luks_format", Proc: 260, Since: "1.5.2", Ret: Err,
		Args:    Args{Device("device"), Key("key"), Int("keyslot")},
		Group:   "luks",
		Summary: "make a LUKS device",
		Help: `Makes {device} an encrypted device that {key} opens, with the default format and cipher of cryptsetup.
The key is stored in slot {keyslot}, counted from 0. The previous content of {device} is lost. Open it with
cryptsetup_open to put something inside.`},
	{Name: "luks_format_cipher", Proc: 261, Since: "1.5.2", Ret: Err,
		Args:    Args{Device("device"), Key("key"), Int("keyslot"), String("cipher")},
		Group:   "luks",
		Summary: "make a LUKS device with a given cipher",
		Help: `Makes {device} an encrypted device that {key}, stored in slot {keyslot}, opens, as luks_format does, but
with the cipher {cipher}, for instance aes-cbc-essiv:sha256. Fails if the kernel has no such cipher.`},
	{Name: "luks_add_key", Proc: 262, Since: "1.5.2", Ret: Err,
		Args:    Args{Device("device"), Key("key"), Key("newkey"), Int("keyslot")},
		Group:   "luks",
		Summary: "add a key to a LUKS device",
		Help: `Adds the key {newkey} to {device}, in slot {keyslot}. {key} is a key that already opens it.
Fails if the slot is in use: luks_kill_slot frees one.`},
	{Name: "luks_kill_slot", Proc: 263, Since: "1.5.2", Ret: Err,
		Args:    Args{Device("device"), Key("key"), Int("keyslot")},
		Group:   "luks",
		Summary: "remove a key from a LUKS device",
		Help: `Wipes the key in slot {keyslot} of {device}. {key} is the key of another slot, so that the last key cannot
be removed by mistake. Fails if the slot is empty.`},
	{Name: "luks_uuid", Proc: 507, Since: "1.41.9", Ret: RetString("uuid"),
		Args:    Args{Device("device")},
		Group:   "luks",
		Summary: "get the UUID of a LUKS device",
		Help:    `Returns the UUID in the header of the LUKS device {device}. It need not be open. Fails if it is not LUKS.`},
	{Name: "cryptsetup_open", Proc: 508, Since: "1.43.2", Ret: Err,
		Args:    Args{Device("device"), Key("key"), String("mapname")},
		Opts:    Args{Bool("readonly"), String("crypttype"), String("cipher")},
		Group:   "luks",
		Summary: "open an encrypted device",
		Help: `Opens the encrypted device {device} with {key}. The content appears as /dev/mapper/{mapname}. Volume
groups inside become visible after lvm_scan.

{crypttype} is a type that cryptsetup knows: luks (version 1 or 2), luks1, luks2, bitlk (BitLocker), tcrypt
(TrueCrypt, VeraCrypt), plain; if it is not given, LUKS and BitLocker are detected. {readonly}
prevents writing. {cipher} is needed where no header names it, as with plain.

Fails if the key does not fit, {device} is not of the type, or the name is taken.`},
	{Name: "cryptsetup_close", Proc: 509, Since: "1.43.2", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "luks",
		Summary: "close an encrypted device",
		Help: `Closes a device that cryptsetup_open opened; {device} is its name, /dev/mapper/MAPNAME. Fails
while it is in use, for instance mounted or part of an active volume group.`},
	{Name: "clevis_luks_unlock", Proc: 512, Since: "1.49.3", Ret: Err,
		Args:    Args{Device("device"), String("mapname")},
		Group:   "clevisluks",
		Summary: "open a LUKS device by network or TPM",
		Help: `Opens the LUKS device {device} as /dev/mapper/{mapname}, with the key that Clevis gets for it, from a
Tang server or a TPM. For a server the appliance needs a network: set_network before launch.
Fails if {device} is not bound to a server or TPM, or that cannot be reached.`},
}
