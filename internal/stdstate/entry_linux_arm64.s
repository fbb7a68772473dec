#include "textflag.h"

// See the one for amd64.
TEXT gofish_start(SB),NOSPLIT|NOFRAME,$0
	MOVD	$2, R19
	MOVD	$1, R20	// after three shifts: asked
again:
	MOVD	$25, R8	// fcntl
	MOVD	R19, R0
	MOVD	$1, R1	// F_GETFD
	MOVD	$0, R2
	SVC
	LSL	$1, R20, R20
	CMP	$0, R0
	BGE	open
	ORR	$1, R20, R20
open:
	SUBS	$1, R19, R19
	BGE	again
	MOVB	R20, ·closed(SB)
	B	_rt0_arm64_linux(SB)
