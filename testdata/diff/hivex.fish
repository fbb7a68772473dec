# Registry hives: read, changed, written, and looked at by hivex's own programs.
sparse h.img 40M
!mkhives . "Windows 7 Professional" 12345678 65536
!printf 'Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Tools]\n"Text"="hello"\n"Number"=dword:0000002a\n"Bytes"=hex:01,02,03\n"Many"=hex(7):61,00,00,00,62,00,00,00,00,00\n@="default"\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Tools\\Sub]\n' > x.reg
!PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0 hivexregedit --merge software --prefix 'HKEY_LOCAL_MACHINE\SOFTWARE' x.reg
run
mkfs ext4 /dev/sda
mount /dev/sda /
upload software /sw
write /garbage "hello"
mkdir /dir
mkfifo 0644 /fifo
-hivex-root
-hivex-close
-hivex-commit ""
-hivex-node-name 4176
-hivex-node-children 4176
-hivex-value-value 4176
-hivex-node-add-child 4176 x
-hivex-node-delete-child 4176
-hivex-node-set-value 4176 k 1 x
-hivex-open /nosuch
-hivex-open /garbage
-hivex-open /dir
-hivex-open rel
hivex-open /sw
hivex-root
hivex-node-name 4176
-hivex-node-name 5
-hivex-node-name -1
hivex-node-children 4176
hivex-node-get-child 4176 TOOLS
hivex-node-get-child 4176 nosuch
-hivex-node-get-child 77 nosuch
hivex-node-children 12320
hivex-node-values 12320
hivex-node-name 12320
hivex-node-parent 12320
hivex-node-get-value 12320 text
hivex-node-get-value 12320 ""
hivex-node-get-value 12320 nosuch
-hivex-node-get-value 5 nosuch
-hivex-node-values 5
-hivex-node-parent 5
# the values, as they stand in the file
-hivex-value-key 12464
-hivex-value-type 12464
-hivex-value-value 12464
-hivex-value-string 12464
-hivex-value-utf8 12464
-hivex-value-key 12512
-hivex-value-type 12512
-hivex-value-value 12512
-hivex-value-string 12512
-hivex-value-utf8 12512
-hivex-value-key 12544
-hivex-value-type 12544
-hivex-value-value 12544
-hivex-value-string 12544
-hivex-value-utf8 12544
-hivex-value-key 12576
-hivex-value-type 12576
-hivex-value-value 12576
-hivex-value-string 12576
-hivex-value-utf8 12576
-hivex-value-key 12624
-hivex-value-type 12624
-hivex-value-value 12624
-hivex-value-string 12624
-hivex-value-utf8 12624
-hivex-value-key 5
-hivex-value-type 5
-hivex-value-value 5
-hivex-value-string 5
-hivex-node-add-child 4176 x
-hivex-node-set-value 4176 k 1 x
-hivex-node-delete-child 12320
-hivex-commit ""
-umount /
-hivex-open /sw write:true
hivex-node-add-child 4176 New
-hivex-node-add-child 4176 new
-hivex-node-add-child 4176 "Größe"
-hivex-node-add-child 5 x
hivex-node-children 4176
hivex-node-get-child 4176 größe
hivex-node-get-child 4176 new
hivex-node-set-value 12320 Text 1 "by"
hivex-node-set-value 12320 Raw 3 "\x01\xff"
-hivex-node-set-value 5 k 1 x
hivex-node-get-value 12320 text
hivex-node-get-value 12320 raw
hivex-node-delete-child 4264
-hivex-node-delete-child 4176
-hivex-node-delete-child 5
hivex-node-children 4176
hivex-commit ""
hivex-commit /new
-hivex-commit rel
-hivex-commit /nodir/x
hivex-close
-hivex-close
equal /sw /new
download /new new
!hivexget new 'Tools'
!PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0 hivexregedit --export new '\Tools' | head -20
!hivexml new | grep -c '<node'
hivex-open /new unsafe:true
hivex-root
-umount /
umount-all
-hivex-root
mount /dev/sda /
hivex-open /new verbose:true debug:true write:false
hivex-close
