# YARA: the rules are made in the guest, for yara-load takes a file of the host.
sparse d.img 50M
run
mkfs ext2 /dev/sda
mount /dev/sda /
write /rules "rule Hello { strings: $a = \"hello\" condition: $a }\nrule World : greeting { strings: $a = /w[a-z]+d/ condition: $a }\nprivate rule Hidden { condition: true }\nglobal rule Content { condition: filesize > 0 }\n"
write /modules "import \"hash\"\nimport \"pe\"\nrule PE { condition: pe.is_pe }\nrule Exact { condition: hash.md5(0, filesize) == \"5d41402abc4b2a76b9719d911017c592\" }\n"
write /bad "rule Bad { condition: $a }\nrule Worse { cond\n"
download /rules rules
download /modules modules
download /bad bad
write /both "hello, world"
write /hello hello
write /neither other
write /dull ""
mkdir /dir
ln-s both /link
-yara-scan /both
-yara-destroy
-yara-load bad
-yara-load nosuchfile
yara-load rules
yara-scan /both
yara-scan /hello
yara-scan /neither
-yara-scan /dull
yara-scan /link
-yara-scan /dir
-yara-scan /nosuchfile
# Only the last rules count.
yara-load modules
yara-scan /hello
-yara-scan /dull
yara-destroy
-yara-scan /hello
-yara-destroy
# Mistaken rules leave none.
yara-load rules
-yara-load bad
-yara-scan /hello
-yara-load /dev/null
-yara-scan /dull
available libyara
