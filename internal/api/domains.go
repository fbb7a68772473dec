package api

// domainsTable: disks of libvirt's domains, and credentials for libvirt. The
// action that takes a domain as a C pointer is useless in a program.
var domainsTable = []Action{
	{Name: "add_domain", Since: "1.7.4", Ret: RetInt("nrdisks"),
		Args:    Args{String("dom")},
		Opts:    Args{String("libvirturi"), Bool("readonly"), String("iface"), Bool("live"), Bool("allowuuid"), String("readonlydisk"), String("cachemode"), String("discard"), Bool("copyonread")},
		Aliases: []string{"domain"}, ConfigOnly: true,
		Summary: "add the disks of a libvirt domain",
		Help: `Adds every disk of the libvirt domain {dom}, CD images included, in the order of its description, and
returns how many there were. With {allowuuid} {dom} may also be a UUID. {libvirturi} says which libvirt to
ask, such as qemu:///system; without it $LIBVIRT_DEFAULT_URI is used, or else the system's libvirt for
root and the user's own for others. Daemons of this host are asked over their sockets, everything else, such
as qemu+ssh://host/system or test:///default, through virsh.

A running domain needs {readonly}; anything else would damage its disks. {readonlydisk} says what to do with
disks that the description marks as read-only when {readonly} is not given: write (as with the others; this is
the default), read (add them read-only), ignore (leave them out), error. {iface}, {cachemode}, {discard} and
{copyonread} are passed to add-drive. {live} must not be true.

Fails if there is no such domain, libvirt cannot be reached, or a disk cannot be added; disks before that
one stay added.`},
	{Name: "set_libvirt_supported_credentials", Since: "1.19.52", Ret: Err,
		Args:    Args{Strings("creds")},
		Summary: "say which credentials could be given to libvirt",
		Help: `{creds} are types of credentials: username, authname, language, cnonce, passphrase, echoprompt, noechoprompt,
realm, external. Another is an error. It has no other effect here: local daemons ask for no credentials, and
virsh asks for them on its own.`},
	{Name: "get_libvirt_requested_credentials", Since: "1.19.52", Ret: RetStrings("creds"),
		Summary: "list the credentials that libvirt asks for",
		Help:    `Only useful while a libvirt_auth event is handled. gofish never sends that event, so this always fails.`},
	{Name: "get_libvirt_requested_credential_prompt", Since: "1.19.52", Ret: RetString("prompt"),
		Args:    Args{Int("index")},
		Summary: "get the prompt for a credential",
		Help:    `Returns the prompt of the credential number {index}, counted from 0. Fails as get-libvirt-requested-credentials does.`},
	{Name: "get_libvirt_requested_credential_challenge", Since: "1.19.52", Ret: RetString("challenge"),
		Args:    Args{Int("index")},
		Summary: "get the challenge for a credential",
		Help:    `Returns the challenge of the credential number {index}, counted from 0. Fails as get-libvirt-requested-credentials does.`},
	{Name: "get_libvirt_requested_credential_defresult", Since: "1.19.52", Ret: RetString("defresult"),
		Args:    Args{Int("index")},
		Summary: "get the default of a credential",
		Help:    `Returns the default of the credential number {index}, counted from 0. Fails as get-libvirt-requested-credentials does.`},
	{Name: "set_libvirt_requested_credential", Since: "1.19.52", Ret: Err,
		Args:    Args{Int("index"), Buffer("cred")},
		Summary: "give libvirt a credential",
		Help:    `Sets the credential number {index}, counted from 0, to the bytes {cred}. Fails as get-libvirt-requested-credentials does.`},
}
