package api

// journalTable: the entries of systemd's journal, through its library. A handle has one
// open journal with a place in it.
var journalTable = []Action{
	{Name: "journal_open", Proc: 404, Since: "1.23.11", Library: "journal", Ret: Err,
		Args:    Args{Path("directory")},
		Group:   "journal",
		Summary: "open the journal of systemd",
		Help: `Opens the journal files in {directory} of the guest, usually /var/log/journal, and positions before the first
entry. A journal that was open is closed. Fails if there is no such directory; files in it that are not journals are ignored.`},
	{Name: "journal_close", Proc: 405, Since: "1.23.11", Library: "journal", Ret: Err,
		Group:   "journal",
		Summary: "close the journal",
		Help:    `Closes the journal. Fails if none is open.`},
	{Name: "journal_next", Proc: 406, Since: "1.23.11", Library: "journal", Ret: RetBool("more"),
		Group:   "journal",
		Summary: "go to the next entry of the journal",
		Help: `Goes to the next entry, ordered by time over all files; the first call goes to the first entry. Returns
false, without moving, if there are no more entries. Fails if no journal is open.`},
	{Name: "journal_skip", Proc: 407, Since: "1.23.11", Library: "journal", Ret: RetInt64("rskip"),
		Args:    Args{Int64("skip")},
		Group:   "journal",
		Summary: "skip entries of the journal, forwards or backwards",
		Help: `Goes {skip} entries forwards, or backwards if it is negative, and returns how many that were (not negative). It goes fewer if
there are not as many. Fails if no journal is open.`},
	{Name: "internal_journal_get", Proc: 408, Since: "1.23.11", Library: "journal", Ret: Err,
		Args:       Args{FileOut("filename")},
		Group:      "journal",
		Visibility: Internal,
		Summary:    "send the fields of an entry",
		Help:       `Sends each field of the entry, NAME=VALUE, preceded by its length as 64 bits, for journal_get.`},
	{Name: "journal_get", Since: "1.23.11", Ret: RetStructs("fields", "xattr"),
		Group:   "journal",
		Summary: "read the fields of an entry of the journal",
		Help: `Returns the names and values of the fields of the current entry, see journal_next. Values are bytes, cut
off at the data threshold. Fails if no journal is open, or before the first journal_next.`},
	{Name: "journal_get_data_threshold", Proc: 409, Since: "1.23.11", Library: "journal", Ret: RetInt64("threshold"),
		Group:   "journal",
		Summary: "get the limit for the size of a field",
		Help: `Returns how many bytes of a field journal_get returns at least; longer data may be cut off. 0 means no limit.
Fails if no journal is open.`},
	{Name: "journal_set_data_threshold", Proc: 410, Since: "1.23.11", Library: "journal", Ret: Err,
		Args:    Args{Int64("threshold", Bytes)},
		Group:   "journal",
		Summary: "set the limit for the size of a field",
		Help: `Lets journal_get return at least {threshold} bytes of a field, by default 65536, 0 for all of it; longer data may be
cut off. Fails if it is negative or no journal is open.`},
	{Name: "journal_get_realtime_usec", Proc: 420, Since: "1.27.18", Library: "journal", Ret: RetInt64("usec"),
		Group:   "journal",
		Summary: "get the time of an entry of the journal",
		Help: `Returns when the entry was written, in microseconds since 1970 by the guest's clock. Fails if no journal is
open, or before the first journal_next.`},
}
