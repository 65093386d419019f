package snippet

import (
	"strconv"
	"strings"
)

// quoteSh returns a literal of the POSIX shell: in single quotes nothing has a
// meaning but the single quote.
func quoteSh(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// quoteGo returns a Go literal: raw where the value holds quotation marks.
func quoteGo(value string) string {
	if strings.ContainsAny(value, `"\`) && !strings.Contains(value, "`") {
		return "`" + value + "`"
	}
	return strconv.Quote(value)
}

// quotePython returns a Python literal.
func quotePython(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// quoteJavaScript returns a JavaScript literal.
func quoteJavaScript(value string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + `'`
}
