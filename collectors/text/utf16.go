package text

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// IsUTF16 says that a text that begins with head is UTF-16.
func IsUTF16(head []byte) bool { return utf16Order(head) != nil }

// utf16Order tells the byte order of UTF-16 text by its mark, or by the NULs
// that Latin text has in every second byte; nil for anything else.
func utf16Order(head []byte) binary.ByteOrder {
	if len(head) >= 2 {
		switch {
		case head[0] == 0xff && head[1] == 0xfe:
			return binary.LittleEndian
		case head[0] == 0xfe && head[1] == 0xff:
			return binary.BigEndian
		}
	}
	head = head[:min(len(head), 1024)&^1]
	if len(head) < 16 {
		return nil
	}
	var nul [2]int
	for i, c := range head {
		if c == 0 {
			nul[i&1]++
		}
	}
	half := len(head) / 2
	switch {
	case nul[1]*10 > half*8 && nul[0]*20 < half:
		return binary.LittleEndian
	case nul[0]*10 > half*8 && nul[1]*20 < half:
		return binary.BigEndian
	}
	return nil
}

// utf16Reader gives UTF-16 text as UTF-8, without its byte order mark. Half a
// surrogate pair and an odd last byte become U+FFFD.
type utf16Reader struct {
	r     io.Reader
	order binary.ByteOrder
	raw   [4096]byte
	// have is how many bytes of raw wait for their second half.
	have    int
	out     []byte
	high    rune
	started bool
	err     error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

func (u *utf16Reader) fill() {
	n, err := u.r.Read(u.raw[u.have:])
	n += u.have
	out := u.out[:0]
	i := 0
	for ; i+1 < n; i += 2 {
		c := rune(u.order.Uint16(u.raw[i:]))
		if !u.started {
			u.started = true
			if c == 0xfeff {
				continue
			}
		}
		if u.high != 0 {
			pair := utf16.DecodeRune(u.high, c)
			u.high = 0
			out = utf8.AppendRune(out, pair)
			if pair != utf8.RuneError {
				continue
			}
		}
		switch {
		case c >= 0xd800 && c < 0xdc00:
			u.high = c
		default:
			// AppendRune writes U+FFFD for a low half that stands alone.
			out = utf8.AppendRune(out, c)
		}
	}
	u.have = copy(u.raw[:], u.raw[i:n])
	if err != nil {
		u.err = err
		if errors.Is(err, io.EOF) && (u.have > 0 || u.high != 0) {
			out = utf8.AppendRune(out, utf8.RuneError)
		}
	}
	u.out = out
}
