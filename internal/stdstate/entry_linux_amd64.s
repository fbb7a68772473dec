#include "textflag.h"

// The program's entry point. It asks the kernel whether descriptors 0 to 2 are open, as
// fcntl(fd, F_GETFD) does, and goes on to the runtime's entry point with the stack it was given.
TEXT gofish_start(SB),NOSPLIT|NOFRAME,$0
	MOVB	$1, ·closed(SB)	// after three shifts: asked
	MOVQ	$2, R12
again:
	MOVQ	$72, AX	// fcntl
	MOVQ	R12, DI
	MOVQ	$1, SI	// F_GETFD
	MOVQ	$0, DX
	SYSCALL
	SHLB	$1, ·closed(SB)
	CMPQ	AX, $0
	JGE	open
	ORB	$1, ·closed(SB)
open:
	DECQ	R12
	JGE	again
	JMP	_rt0_amd64_linux(SB)
