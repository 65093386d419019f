package fhirjson

// Compact appends src to dst without its insignificant white space and returns the result.
// Strings and numbers stay byte for byte. src is JSON that Parse accepted.
func Compact(dst, src []byte) []byte {
	start := 0 // of the run that is still to be copied
	for i := 0; i < len(src); {
		switch src[i] {
		case ' ', '\t', '\r', '\n':
			dst = append(dst, src[start:i]...)
			i++
			start = i
		case '"':
			i = EndOfString(src, i)
		default:
			i++
		}
	}
	return append(dst, src[start:]...)
}

// EndOfString returns the offset behind the string literal that begins at i, in JSON that Parse
// accepted.
func EndOfString(src []byte, i int) int {
	for i++; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(src)
}
