package httpapi

import (
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// answersJSON refuses a request for an answer that is not JSON (FHIR R4, http,
// Content Types). _format goes before Accept.
func (l *call) answersJSON() error {
	if err := l.oneVersion(); err != nil {
		return err
	}
	if format := strings.ReplaceAll(l.Query("_format"), " ", "+"); format != "" {
		switch media, _, _ := mime.ParseMediaType(format); media {
		case "json", "text/json", fiber.MIMEApplicationJSON, fhirJSON, "application/json+fhir":
			return nil
		}
		return &httpError{status: fiber.StatusNotAcceptable, code: "not-supported", message: "_format=" + format + " is not offered; answers are application/fhir+json"}
	}
	accept := l.accept()
	if accept == "" || accepts(accept, append(jsonTypes(), "*/*", "application/*")...) {
		return nil
	}
	return &httpError{status: fiber.StatusNotAcceptable, code: "not-supported", message: "Accept: " + accept + " is not offered; answers are application/fhir+json"}
}

// oneVersion refuses a request that names two versions of FHIR (FHIR R4, http,
// FHIR version parameter).
func (l *call) oneVersion() error {
	asked, sent := l.accept(), l.Get(fiber.HeaderContentType)
	const parameter = "fhirversion"
	if !strings.Contains(strings.ToLower(asked+sent), parameter) {
		return nil
	}
	named := ""
	for _, media := range append(strings.Split(asked, ","), sent) {
		_, params, _ := mime.ParseMediaType(strings.TrimSpace(media)) // what is none has no parameters
		switch version := params[parameter]; {
		case version == "":
		case named != "" && version != named:
			return badRequest("invalid", "the request names two versions of FHIR in Accept and Content-Type, "+named+" and "+version+"; this server has 4.0")
		default:
			named = version
		}
	}
	return nil
}

// jsonTypes are the names of FHIR's JSON, the one that answers have first.
func jsonTypes() []string {
	return []string{fhirJSON, fiber.MIMEApplicationJSON, "text/json", "application/json+fhir"}
}

// accept is the request's Accept header; several are one list.
func (l *call) accept() string {
	var list []string
	for _, v := range l.Request().Header.PeekAll(fiber.HeaderAccept) {
		list = append(list, string(v))
	}
	return strings.Join(list, ", ")
}

// accepts reports whether an Accept header takes one of the media types with a
// quality above 0 (RFC 9110 section 12.5.1).
func accepts(accept string, types ...string) bool {
	for _, part := range strings.Split(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q <= 0 {
			continue
		}
		if version := params["fhirversion"]; version != "" && version != "4.0" {
			continue
		}
		for _, t := range types {
			if media == t {
				return true
			}
		}
	}
	return false
}

// sendsJSON refuses a body that is not FHIR JSON by its Content-Type.
func (l *call) sendsJSON() error {
	contentType := l.Get(fiber.HeaderContentType)
	media, params, err := mime.ParseMediaType(contentType)
	if err == nil && (slices.Contains(jsonTypes(), media)) {
		if version := params["fhirversion"]; version == "" || version == "4.0" {
			return nil
		}
	}
	return &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported",
		message: "Content-Type is " + strconv.Quote(contentType) + "; a FHIR body is application/fhir+json", header: map[string]string{fiber.HeaderAccept: fhirJSON}}
}

// preferences are the parts of every Prefer header (RFC 7240 section 2), with
// the value that stands behind an equals sign or "".
func (l *call) preferences() map[string]string {
	prefs := map[string]string{}
	for _, v := range l.Request().Header.PeekAll("Prefer") {
		for _, part := range strings.FieldsFunc(string(v), func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if _, ok := prefs[name]; !ok && name != "" {
				prefs[name] = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
	}
	return prefs
}
