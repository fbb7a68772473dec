package api

// yaraTable: looking for malware by the rules of YARA.
var yaraTable = []Action{
	{Name: "yara_load", Proc: 472, Since: "1.37.13", Ret: Err, Group: "libyara",
		Args:     Args{FileIn("filename")},
		Progress: true, Cancel: true,
		Summary: "load rules for yara_scan",
		Help: `Sends the YARA rules in the host's file {filename}, as text or compiled by yarac, to the appliance, where they take
the place of those loaded before. Compiled rules must be of the appliance's version of YARA; rules in other files
(include) are not there. Fails if the rules cannot be compiled, and says why; then none are loaded.`},
	{Name: "yara_destroy", Proc: 473, Since: "1.37.13", Ret: Err, Group: "libyara",
		Summary: "forget the rules of yara_scan",
		Help:    `Drops what yara_load has loaded. Fails if that is nothing.`},
	{Name: "internal_yara_scan", Proc: 474, Since: "1.37.13", Ret: Err, Group: "libyara",
		Args:       Args{Path("path"), FileOut("filename")},
		Visibility: Internal,
		Summary:    "look for malware, as structs in a file",
		Help:       `Streams what yara_scan returns.`},
	{Name: "yara_scan", Since: "1.37.13", Ret: RetStructs("detections", "yara_detection"), Group: "libyara",
		Args:     Args{Path("path")},
		Progress: true, Cancel: true,
		Summary: "look for malware in a file",
		Help: `Returns the rules of yara_load that match the file {path} of the guest, none if it is harmless by them. The scan runs in a
process of its own in the appliance. Fails if no rules are loaded or {path} is not a regular file.`},
}
