package api

// yaraTable: looking for malware with YARA rules.
var yaraTable = []Action{
	{Name: "yara_load", Proc: 472, Since: "1.37.13", Ret: Err, Group: "libyara",
		Args:     Args{FileIn("filename")},
		Progress: true, Cancel: true,
		Summary: "load rules for yara_scan",
		Help: `Sends the YARA rules in the host's file {filename}, as text or compiled by yarac, to the appliance, where they replace
those loaded before. Compiled rules must match the appliance's version of YARA; rules in other files (include) are not available. Fails if the rules cannot be compiled, and says why; then no rules are loaded.`},
	{Name: "yara_destroy", Proc: 473, Since: "1.37.13", Ret: Err, Group: "libyara",
		Summary: "unload the rules of yara_scan",
		Help:    `Unloads the rules of yara_load. Fails if none are loaded.`},
	{Name: "internal_yara_scan", Proc: 474, Since: "1.37.13", Ret: Err, Group: "libyara",
		Args:       Args{Path("path"), FileOut("filename")},
		Visibility: Internal,
		Summary:    "look for malware, as structs in a file",
		Help:       `Streams what yara_scan returns.`},
	{Name: "yara_scan", Since: "1.37.13", Ret: RetStructs("detections", "yara_detection"), Group: "libyara",
		Args:     Args{Path("path")},
		Progress: true, Cancel: true,
		Summary: "look for malware in a file",
		Help: `Returns the rules of yara_load that match the file {path} of the guest; the list is empty if none do. The scan runs in a
separate process in the appliance. Fails if no rules are loaded or {path} is not a regular file.`},
}
