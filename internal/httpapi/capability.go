package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	models "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// capabilities is FHIR R4, http, capabilities. It is made from the tables that
// the router and the search use.
func (l *call) capabilities() error {
	if err := l.answersJSON(); err != nil {
		return err
	}
	body, err := json.Marshal(l.capabilityStatement())
	if err != nil {
		return fmt.Errorf("write capability statement: %w", err)
	}
	sum := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	l.Set(fiber.HeaderETag, tag)
	if hasTag(l.Get(fiber.HeaderIfNoneMatch), strings.TrimPrefix(tag, "W/")) {
		return l.Status(fiber.StatusNotModified).Send(nil)
	}
	if body, err = l.selected("CapabilityStatement", typeFirst(body)); err != nil {
		return err
	}
	return l.send(fiber.StatusOK, fhirJSON, body)
}

// typeFirst moves a resource's type, with which the library ends, to the front,
// where whoever reads a stream looks for it.
func typeFirst(body []byte) []byte {
	end := len(body) - 1
	at := bytes.LastIndex(body, []byte(`,"resourceType":`))
	if at < 0 {
		return body
	}
	moved := append(make([]byte, 0, len(body)), '{')
	moved = append(append(moved, body[at+1:end]...), ',')
	return append(append(moved, body[1:at]...), '}')
}

const (
	bulkBase   = "http://hl7.org/fhir/uv/bulkdata/"
	usCoreBase = "http://hl7.org/fhir/us/core/"
	oauthURIs  = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
)

func (l *call) capabilityStatement() models.CapabilityStatement {
	documentation := searchDocumentation
	rest := models.CapabilityStatementRest{
		Mode:          models.RestfulCapabilityModeServer,
		Documentation: &documentation,
		Security:      l.capabilitySecurity(),
		Interaction: []models.CapabilityStatementRestInteraction{
			{Code: models.SystemRestfulInteractionTransaction},
			{Code: models.SystemRestfulInteractionBatch},
			{Code: models.SystemRestfulInteractionSearchSystem},
			{Code: models.SystemRestfulInteractionHistorySystem},
		},
		Operation:   l.exportOperations("export"),
		Resource:    l.capabilityResources(),
		SearchParam: commonSearchParams(r4.Definitions()),
		Compartment: []string{"http://hl7.org/fhir/CompartmentDefinition/patient"},
	}
	software := "Sandfhir"
	return models.CapabilityStatement{
		Status:         models.PublicationStatusActive,
		Date:           fhirstore.FormatInstant(l.server.began),
		Kind:           models.CapabilityStatementKindInstance,
		Instantiates:   []string{bulkBase + "CapabilityStatement/bulk-data", usCoreBase + "CapabilityStatement/us-core-server"},
		Software:       &models.CapabilityStatementSoftware{Name: software},
		Implementation: &models.CapabilityStatementImplementation{Description: software + ", " + l.env.Name, Url: &l.addresses.FHIRBase},
		FhirVersion:    models.FHIRVersion4_0_1,
		Format:         []string{fhirJSON, "json"},
		PatchFormat:    patchFormats(),
		// Of these the operations and search parameters are here.
		ImplementationGuide: []string{bulkBase + "ImplementationGuide/hl7.fhir.uv.bulkdata|2.0.0", usCoreBase + "ImplementationGuide/hl7.fhir.us.core|6.1.0"},
		Rest:                []models.CapabilityStatementRest{rest},
	}
}

// capabilityResources are the server's, with the operations that the behaviour
// decides about.
func (l *call) capabilityResources() []models.CapabilityStatementRestResource {
	list := slices.Clone(l.server.resources())
	for i := range list {
		switch r := &list[i]; r.Type {
		case models.ResourceTypePatient:
			r.Operation = append(l.exportOperations("patient-export"), r.Operation...)
		case models.ResourceTypeGroup:
			r.Operation = append(l.exportOperations("group-export"), r.Operation...)
		}
	}
	return list
}

// exportOperations are $export in the version of the behaviour, and the
// operation that has 4.0.0-ballot beside it.
func (l *call) exportOperations(name string) []models.CapabilityStatementRestResourceOperation {
	definition := bulkBase + "OperationDefinition/" + name
	ballot := definition + "|" + string(bulk.Version4)
	if l.env.Export().Version == bulk.Version4 {
		definition = ballot
	}
	return []models.CapabilityStatementRestResourceOperation{{Name: name, Definition: definition}, {Name: name + "-v4", Definition: ballot}}
}

func (l *call) capabilitySecurity() *models.CapabilityStatementRestSecurity {
	cors := true
	system, code := "http://terminology.hl7.org/CodeSystem/restful-security-service", "SMART-on-FHIR"
	uris := []models.Extension{{Url: "token", ValueUri: &l.addresses.TokenURL}}
	if l.addresses.RegistrationURL != "" {
		uris = append(uris, models.Extension{Url: "register", ValueUri: &l.addresses.RegistrationURL})
	}
	return &models.CapabilityStatementRestSecurity{
		Cors:      &cors,
		Service:   []models.CodeableConcept{{Coding: []models.Coding{{System: &system, Code: &code}}}},
		Extension: []models.Extension{{Url: oauthURIs, Extension: uris}}, // deprecated, but still looked for
	}
}

// searchDocumentation says of searches what a CapabilityStatement has no element
// for.
const searchDocumentation = "Modifiers of search parameters: :missing of all but composites; " +
	":not, :text and :of-type of tokens; :exact and :contains of strings; :identifier and the name of a type of references; :above and :below of URIs. " +
	"Others are refused, :in, :not-in, :above and :below of tokens among them, because there is no terminology service. " +
	"Prefixes: eq, ne, gt, lt, ge, le, sa, eb and ap of numbers, dates and quantities, also within composites. " +
	"Chains and _has lead over up to four references. " +
	"_include and _revinclude take :iterate, and * as the name of the parameter. " +
	"A _revinclude may follow every reference parameter that can point to the type; of those that can point to any type, searchRevInclude lists Provenance:target only."

// commonSearchParams are the parameters of searches across types and of every
// type. Those without a definition are described by FHIR R4, Search, only.
func commonSearchParams(defs *r4.Table) (list []models.CapabilityStatementRestResourceSearchParam) {
	for _, p := range defs.Params("Resource") {
		if one, ok := capabilitySearchParam(p); ok {
			list = append(list, one)
		}
	}
	for _, p := range []struct{ name, documentation string }{
		{"_has", "Reverse chaining: _has:Observation:patient:code=1234-5."},
		{"_list", "The resources that the List with this id has."},
		{"_type", "The types to search, in searches across types."},
	} {
		list = append(list, models.CapabilityStatementRestResourceSearchParam{Name: p.name, Type: models.SearchParamTypeString, Documentation: &p.documentation})
	}
	return list
}

// capabilitySearchParam describes a parameter that is offered.
func capabilitySearchParam(p *r4.SearchParam) (one models.CapabilityStatementRestResourceSearchParam, ok bool) {
	if p.Code != "_id" && p.Code != "_lastUpdated" && !fhirstore.Searchable(p) {
		return one, false
	}
	one = models.CapabilityStatementRestResourceSearchParam{Name: p.Code, Definition: &p.URL}
	return one, one.Type.UnmarshalJSON([]byte(`"`+p.Kind.String()+`"`)) == nil
}

// revIncludes are the inclusions that lead from other types to one. Of the
// parameters that may point to anything only Provenance's is there: all of them
// for all types would make the statement twice as long.
func revIncludes(defs *r4.Table) map[string][]string {
	to := map[string][]string{}
	for _, source := range defs.Types() {
		for _, p := range defs.Params(source) {
			if p.Kind != r4.Reference || len(p.Targets) == len(defs.Types()) && source != "Provenance" {
				continue
			}
			for _, target := range p.Targets {
				to[target] = append(to[target], source+":"+p.Code)
			}
		}
	}
	return to
}

// capabilityResources says what can be done with every type. It is the same for
// every request.
func capabilityResources() []models.CapabilityStatementRestResource {
	defs := r4.Definitions()
	reverse := revIncludes(defs)
	var list []models.CapabilityStatementRestResource
	for _, typ := range defs.Types() {
		if resource, ok := capabilityResource(defs, typ); ok {
			resource.SearchRevInclude = reverse[typ]
			list = append(list, resource)
		}
	}
	return list
}

// capabilityResource says what can be done with a type.
func capabilityResource(defs *r4.Table, typ string) (models.CapabilityStatementRestResource, bool) {
	var code models.ResourceType
	if err := code.UnmarshalJSON([]byte(`"` + typ + `"`)); err != nil {
		return models.CapabilityStatementRestResource{}, false
	}
	versioning, yes := models.ResourceVersionPolicyVersioned, true
	conditionalRead, conditionalDelete := models.ConditionalReadStatusFullSupport, models.ConditionalDeleteStatusSingle
	resource := models.CapabilityStatementRestResource{
		Type: code, Versioning: &versioning, ReadHistory: &yes, UpdateCreate: &yes,
		ConditionalCreate: &yes, ConditionalRead: &conditionalRead, ConditionalUpdate: &yes, ConditionalDelete: &conditionalDelete,
	}
	for _, interaction := range []models.TypeRestfulInteraction{
		models.TypeRestfulInteractionRead, models.TypeRestfulInteractionVread, models.TypeRestfulInteractionHistoryInstance,
		models.TypeRestfulInteractionHistoryType, models.TypeRestfulInteractionSearchType, models.TypeRestfulInteractionCreate, models.TypeRestfulInteractionUpdate,
		models.TypeRestfulInteractionPatch, models.TypeRestfulInteractionDelete,
	} {
		resource.Interaction = append(resource.Interaction, models.CapabilityStatementRestResourceInteraction{Code: interaction})
	}
	for _, p := range defs.Params(typ) {
		one, ok := capabilitySearchParam(p)
		if !ok {
			continue
		}
		resource.SearchParam = append(resource.SearchParam, one)
		if p.Kind == r4.Reference {
			resource.SearchInclude = append(resource.SearchInclude, typ+":"+p.Code)
		}
	}
	if len(resource.SearchInclude) > 0 {
		resource.SearchInclude = append([]string{"*"}, resource.SearchInclude...)
	}
	resource.Operation = []models.CapabilityStatementRestResourceOperation{{Name: "validate", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate"}}
	switch typ {
	case "Patient":
		resource.Operation = append(resource.Operation,
			models.CapabilityStatementRestResourceOperation{Name: "everything", Definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything"})
	case "DocumentReference":
		resource.Operation = append(resource.Operation, models.CapabilityStatementRestResourceOperation{Name: "docref", Definition: usCoreBase + "OperationDefinition/docref"})
	case "Group":
		resource.SupportedProfile = []string{bulkBase + "StructureDefinition/bulk-cohort-group"}
	}
	return resource, true
}
