package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const (
	fhirVersion     = "4.0.1"
	structurePrefix = "http://hl7.org/fhir/StructureDefinition/"
	valueSetPrefix  = "http://hl7.org/fhir/ValueSet/"
	parameterPrefix = "http://hl7.org/fhir/SearchParameter/"
)

// A structure is what the generator reads of a StructureDefinition.
type structure struct {
	Name           string
	Type           string
	Kind           string
	Abstract       bool
	Derivation     string
	FHIRVersion    string
	BaseDefinition string
	Snapshot       struct{ Element []element }
}

type element struct {
	Path             string
	Min              int
	Max              string
	Base             struct{ Path string }
	Type             []elementType
	ContentReference string
	IsSummary        bool
	IsModifier       bool
	Binding          struct{ Strength, ValueSet string }
	Constraint       []constraint
}

type elementType struct {
	Code          string
	TargetProfile []string
}

type constraint struct{ Key, Severity, Human, Expression string }

type searchParameter struct {
	URL        string
	Version    string
	Code       string
	Base       []string
	Type       string
	Expression string
	Target     []string
	Component  []struct{ Definition, Expression string }
}

type valueSet struct {
	URL     string
	Compose struct {
		Include, Exclude []struct {
			System   string
			Concept  []concept
			Filter   []json.RawMessage
			ValueSet []string
		}
	}
}

type codeSystem struct {
	URL     string
	Content string
	Concept []concept
}

type concept struct {
	Code    string
	Concept []concept
}

type compartment struct {
	Resource []struct {
		Code  string
		Param []string
	}
}

// definitions are the sources as they were read.
type definitions struct {
	structures   []structure
	dataElements map[string]element // HL7's list of elements by path
	parameters   []searchParameter
	patient      compartment
	valueSets    map[string]valueSet
	codeSystems  map[string]codeSystem

	parentPaths map[string]bool // of data elements, once asked for
}

func read(dir string) (*definitions, error) {
	defs := &definitions{
		dataElements: map[string]element{},
		valueSets:    map[string]valueSet{},
		codeSystems:  map[string]codeSystem{},
	}
	for _, name := range []string{"profiles-types.json", "profiles-resources.json"} {
		err := readBundle(dir, name, func(resourceType string, raw json.RawMessage) error {
			if resourceType != "StructureDefinition" {
				return nil
			}
			var s structure
			err := json.Unmarshal(raw, &s)
			defs.structures = append(defs.structures, s)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	err := readBundle(dir, "dataelements.json", func(_ string, raw json.RawMessage) error {
		var s structure
		err := json.Unmarshal(raw, &s)
		for _, e := range s.Snapshot.Element {
			defs.dataElements[e.Path] = e
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := defs.readParameters(dir); err != nil {
		return nil, err
	}
	return defs, defs.readTerminology(dir)
}

func (d *definitions) readParameters(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "compartmentdefinition-patient.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &d.patient); err != nil {
		return fmt.Errorf("read the patient compartment: %w", err)
	}
	return readBundle(dir, "search-parameters.json", func(_ string, raw json.RawMessage) error {
		var p searchParameter
		err := json.Unmarshal(raw, &p)
		if p.Version == fhirVersion {
			d.parameters = append(d.parameters, p)
		}
		return err
	})
}

func (d *definitions) readTerminology(dir string) error {
	for _, name := range []string{"valuesets.json", "v3-codesystems.json", "v2-tables.json"} {
		err := readBundle(dir, name, func(resourceType string, raw json.RawMessage) error {
			if resourceType == "ValueSet" {
				var v valueSet
				err := json.Unmarshal(raw, &v)
				d.valueSets[v.URL] = v
				return err
			}
			var c codeSystem
			err := json.Unmarshal(raw, &c)
			d.codeSystems[c.URL] = c
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func readBundle(dir, name string, each func(resourceType string, raw json.RawMessage) error) error {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	var bundle struct {
		Entry []struct{ Resource json.RawMessage }
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for _, e := range bundle.Entry {
		var head struct{ ResourceType string }
		if err := json.Unmarshal(e.Resource, &head); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if err := each(head.ResourceType, e.Resource); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	return nil
}
