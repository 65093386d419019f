package seed

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// givenID is the id that an entry gives a resource which has none: the uuid or oid of its
// fullUrl, the end of a fullUrl that is the resource's own URL (FHIR R4, Bundle.entry.fullUrl),
// or what a PUT writes to; "" where it gives none.
func givenID(typ, fullURL, method, url string) string {
	id, ok := strings.CutPrefix(fullURL, "urn:uuid:")
	if !ok {
		id, ok = strings.CutPrefix(fullURL, "urn:oid:")
	}
	if i := strings.LastIndexByte(fullURL, '/'); !ok && i >= 0 && strings.HasSuffix("/"+fullURL[:i], "/"+typ) {
		id, ok = fullURL[i+1:], true
	}
	if !ok && method == "PUT" {
		id, ok = strings.CutPrefix(url, typ+"/")
	}
	if !ok || !wellFormedID(id) {
		return ""
	}
	return id
}

// assignedID makes the id that a server would assign to a resource which it is to create (FHIR
// R4, RESTful API, create): a UUID of version 8 (RFC 9562) from a hash of the content, so that
// the same load makes the same ids. Resources of the same content are counted, because each of
// them is one to create.
func (l *loader) assignedID(content []byte) string {
	content = fhirjson.Compact(nil, content)
	sum := sha256.Sum256(content)
	l.assigned[sum]++
	if n := l.assigned[sum]; n > 1 {
		sum = sha256.Sum256(fmt.Appendf(content, "\n%d", n))
	}
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
