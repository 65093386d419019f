package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

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
	return l.send(fiber.StatusOK, fhirJSON, typeFirst(body))
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
	bulkBase  = "http://hl7.org/fhir/uv/bulkdata/"
	oauthURIs = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
)

func (l *call) capabilityStatement() models.CapabilityStatement {
	rest := models.CapabilityStatementRest{
		Mode:     models.RestfulCapabilityModeServer,
		Security: l.capabilitySecurity(),
		Interaction: []models.CapabilityStatementRestInteraction{
			{Code: models.SystemRestfulInteractionTransaction},
			{Code: models.SystemRestfulInteractionBatch},
			{Code: models.SystemRestfulInteractionSearchSystem},
			{Code: models.SystemRestfulInteractionHistorySystem},
		},
		Operation: l.exportOperations("export"),
		Resource:  l.capabilityResources(),
	}
	software := "Sandfhir"
	return models.CapabilityStatement{
		Status:         models.PublicationStatusActive,
		Date:           fhirstore.FormatInstant(l.workspace.Clock.Now()),
		Kind:           models.CapabilityStatementKindInstance,
		Instantiates:   []string{bulkBase + "CapabilityStatement/bulk-data"},
		Software:       &models.CapabilityStatementSoftware{Name: software},
		Implementation: &models.CapabilityStatementImplementation{Description: software + ", " + l.env.Name, Url: &l.addresses.FHIRBase},
		FhirVersion:    models.FHIRVersion4_0_1,
		Format:         []string{fhirJSON, "json"},
		PatchFormat:    patchFormats(),
		Rest:           []models.CapabilityStatementRest{rest},
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

// capabilityResources says what can be done with every type. It is the same for
// every request.
func capabilityResources() []models.CapabilityStatementRestResource {
	defs := r4.Definitions()
	var list []models.CapabilityStatementRestResource
	for _, typ := range defs.Types() {
		if resource, ok := capabilityResource(defs, typ); ok {
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
		if p.Code != "_id" && p.Code != "_lastUpdated" && !fhirstore.Searchable(p) {
			continue
		}
		var kind models.SearchParamType
		if kind.UnmarshalJSON([]byte(`"`+p.Kind.String()+`"`)) != nil {
			continue
		}
		resource.SearchParam = append(resource.SearchParam, models.CapabilityStatementRestResourceSearchParam{Name: p.Code, Type: kind, Definition: &p.URL})
		if p.Kind == r4.Reference {
			resource.SearchInclude = append(resource.SearchInclude, typ+":"+p.Code)
		}
	}
	resource.Operation = []models.CapabilityStatementRestResourceOperation{{Name: "validate", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate"}}
	switch typ {
	case "Patient":
		resource.Operation = append(resource.Operation,
			models.CapabilityStatementRestResourceOperation{Name: "everything", Definition: "http://hl7.org/fhir/OperationDefinition/Patient-everything"})
	case "Group":
		resource.SupportedProfile = []string{bulkBase + "StructureDefinition/bulk-cohort-group"}
	}
	return resource, true
}
