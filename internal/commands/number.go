package commands

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"

	"gofish/internal/api"
)

// numberError says why text is not a number. The values are interface: scripts see
// them in messages.
type numberError int

const (
	numOverflow numberError = 1 // more than 64 bits
	numSuffix   numberError = 2 // something follows that is not a suffix
	numInvalid  numberError = 4 // no number at all
)

// suffixes multiply a number by 1024 as often as their place says, beginning
// with 1.
const suffixes = "KMGTPEZY"

// parseNumber reads an integer as C writes it, decimal, octal or hexadecimal,
// with an optional suffix: one of k K M G T P E Z Y for powers of 1024, alone or
// with iB, and of 1000 with B or D. A suffix alone counts from 1.
func parseNumber(s string, signed bool) (*big.Int, numberError) {
	rest := strings.TrimLeft(s, " \t\n\v\f\r")
	neg := false
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		neg = rest[0] == '-'
		if neg && !signed {
			return nil, numInvalid
		}
		rest = rest[1:]
	}
	digits, base, rest := cutDigits(rest)
	v := new(big.Int)
	if digits == "" {
		if s == "" || suffixPower(s[0]) == 0 {
			return nil, numInvalid
		}
		v.SetInt64(1)
		rest, neg = s, false
	} else {
		v.SetString(digits, base)
	}
	if neg {
		v.Neg(v)
	}
	lo, hi := big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)
	if !signed {
		lo, hi = new(big.Int), new(big.Int).SetUint64(math.MaxUint64)
	}
	var e numberError
	check := func() {
		if v.Cmp(lo) < 0 || v.Cmp(hi) > 0 {
			e |= numOverflow
		}
	}
	check()
	if rest == "" {
		return v, e
	}
	power := suffixPower(rest[0])
	if power == 0 {
		return nil, e | numSuffix
	}
	unit := int64(1024)
	rest = rest[1:]
	switch {
	case strings.HasPrefix(rest, "iB"):
		rest = rest[2:]
	case rest != "" && (rest[0] == 'B' || rest[0] == 'D'):
		unit = 1000
		rest = rest[1:]
	}
	v.Mul(v, new(big.Int).Exp(big.NewInt(unit), big.NewInt(int64(power)), nil))
	check()
	if rest != "" {
		e |= numSuffix
	}
	return v, e
}

func suffixPower(c byte) int {
	if c == 'k' {
		c = 'K'
	}
	return strings.IndexByte(suffixes, c) + 1
}

// cutDigits splits the digits from the front of s, which has no sign.
func cutDigits(s string) (digits string, base int, rest string) {
	base = 10
	n := 0
	if len(s) > 1 && s[0] == '0' {
		base = 8
		if s[1]|0x20 == 'x' && len(s) > 2 && isDigit(s[2], 16) {
			base = 16
			s = s[2:]
		}
	}
	for n < len(s) && isDigit(s[n], base) {
		n++
	}
	return s[:n], base, s[n:]
}

func isDigit(c byte, base int) bool {
	switch {
	case c >= '0' && c <= '9':
		return int(c-'0') < base
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return base == 16
	}
	return false
}

// integer converts the text of an integer parameter. cmd and name are what
// messages call the command and the parameter.
//
// A number without a suffix counts what the parameter counts. A suffix says that it
// is an amount of data, which is turned into what the parameter counts; where that
// is not data, a suffix is an error.
func integer(cmd, name string, p api.Param, s string) (any, error) {
	v, e := parseNumber(s, true)
	if amount, ok := fraction(s); ok && e == numSuffix {
		v, e = amount, 0
	}
	if e == 0 && hasSuffix(s) {
		var err error
		if v, err = inUnit(v, p.Unit); err != nil {
			return nil, fmt.Errorf("%s: %s: %s: %w", cmd, name, s, err)
		}
		if !v.IsInt64() {
			e = numOverflow
		}
	}
	if e != 0 {
		return nil, fmt.Errorf("%s: %s: invalid integer parameter (xstrtoll returned %d)", cmd, name, e)
	}
	n := v.Int64()
	if p.Kind == api.KInt64 {
		return n, nil
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return nil, fmt.Errorf("%s: %s: integer out of range", cmd, name)
	}
	return int(n), nil
}

// hasSuffix reports whether text that parseNumber took ends in a suffix.
func hasSuffix(s string) bool {
	rest := strings.TrimLeft(s, " \t\n\v\f\r+-")
	if digits, _, tail := cutDigits(rest); digits != "" {
		return tail != ""
	}
	return rest != ""
}

var fractionPattern = regexp.MustCompile(`^([+-]?)(\d{1,15})\.(\d{1,15})([kKMGTPEZY](?:iB|[BD])?)$`)

// fraction reads an amount such as 1.5G. What is not a whole number of bytes is
// rounded up.
func fraction(s string) (*big.Int, bool) {
	m := fractionPattern.FindStringSubmatch(s)
	if m == nil {
		return nil, false
	}
	one, _ := parseNumber("1"+m[4], true)
	digits, _ := new(big.Int).SetString(m[2]+m[3], 10)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(m[3]))), nil)
	v := ceilDiv(digits.Mul(digits, one), scale)
	if m[1] == "-" {
		v.Neg(v)
	}
	return v, v.IsInt64()
}

func ceilDiv(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// inUnit turns an amount of bytes into what a parameter counts.
func inUnit(bytes *big.Int, u api.Unit) (*big.Int, error) {
	size := big.NewInt(u.Size())
	switch {
	case u == api.NoUnit:
		return nil, errors.New("this parameter counts no bytes: give a plain number")
	case size.Sign() == 0:
		return nil, fmt.Errorf("this parameter counts %s: give a plain number", u)
	case u == api.Sectors512:
		q, r := new(big.Int).QuoRem(bytes, size, new(big.Int))
		if r.Sign() != 0 {
			return nil, fmt.Errorf("not a whole number of %s", u)
		}
		return q, nil
	}
	// At least as much as was asked for.
	return ceilDiv(bytes, size), nil
}

// size converts the text of a size given to a shell command.
func size(s string) (int64, error) {
	v, e := parseNumber(s, false)
	if amount, ok := fraction(s); ok && e == numSuffix && amount.Sign() >= 0 {
		v, e = amount, 0
	}
	if e != 0 {
		return 0, fmt.Errorf("parse_size: invalid integer parameter (xstrtoull returned %d)", e)
	}
	if !v.IsInt64() {
		return 0, fmt.Errorf("parse_size: %s: larger than any file", s)
	}
	return v.Int64(), nil
}

// boolean converts a truth value.
func boolean(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "true", "t", "yes", "y", "on":
		return true, true
	case "0", "false", "f", "no", "n", "off":
		return false, true
	}
	return false, false
}
