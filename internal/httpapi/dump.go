package httpapi

import (
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// dumpOperation is how the path of Aidbox's $dump ends.
const dumpOperation = "/$dump"

// dump is Aidbox's $dump: the resources of a type as chunked NDJSON in one
// answer. It stands beside the FHIR base, not below it, and only where the
// behaviour has it. The resources are FHIR, whatever the parameter fhir says.
func (l *call) dump() error {
	if !l.env.Export().Dump {
		return notFound("there is nothing at %s: $dump is Aidbox's, and the behaviour in force does not have it", l.path)
	}
	if err := l.authenticate(); err != nil {
		return err
	}
	typ := l.Params("type")
	if !r4.Definitions().IsType(typ) {
		return notFound("%s is no FHIR R4 resource type", typ)
	}
	if err := l.require(typ, authz.Read|authz.Search, "dumps "+typ); err != nil {
		return err
	}
	since, err := l.dumpSince()
	if err != nil {
		return err
	}
	exports, err := l.env.Exports(l.UserContext())
	if err != nil {
		return err
	}
	content, err := exports.Dump(l.UserContext(), l.view(), typ, since)
	if err != nil {
		return err
	}
	l.Set(fiber.HeaderContentType, "application/ndjson")
	zip := l.Query("gzip") == "true"
	if zip {
		l.Set(fiber.HeaderContentEncoding, "gzip")
	}
	if l.Method() != fiber.MethodHead {
		size, _ := content.Size()
		l.streamPiped(contentBody{content}, size, zip)
	}
	return nil
}

// dumpSince reads _since, an ISO date or an instant; zero where it is not there.
func (l *call) dumpSince() (time.Time, error) {
	params, err := fhirstore.ParseParams(l.query())
	if err != nil {
		return time.Time{}, err
	}
	for _, p := range params {
		if p.Name != "_since" {
			continue
		}
		if day, err := time.Parse(time.DateOnly, p.Value); err == nil {
			return day, nil
		}
		// A zone's raw + arrives as a space.
		if at, err := bulk.ParseInstant(strings.ReplaceAll(p.Value, " ", "+")); err == nil {
			return at, nil
		}
		return time.Time{}, badRequest("value", fmt.Sprintf("_since=%s is neither a date, such as 2026-01-31, nor an instant, such as 2026-01-31T08:00:00Z", p.Value))
	}
	return time.Time{}, nil
}
