package reference

// An Edit replaces the bytes from Start to End of what a resource was parsed from.
type Edit struct {
	Start, End int
	Text       string
}

// Apply returns the bytes of data from start to end with the edits in them. The edits are in the
// order of the text and do not overlap; where there are none, the result is a part of data.
func Apply(data []byte, start, end int, edits []Edit) []byte {
	if len(edits) == 0 {
		return data[start:end]
	}
	var out []byte
	for _, e := range edits {
		out = append(out, data[start:e.Start]...)
		out = append(out, e.Text...)
		start = e.End
	}
	return append(out, data[start:end]...)
}
