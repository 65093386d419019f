package population

import "time"

// An implantKind is a product that is left in the body.
type implantKind struct {
	kind         coding
	manufacturer string
	model        string
	item         string // the 14 digits of its device identifier; the prefix 99999 is nobody's
}

var (
	pacemaker = implantKind{kind: snomed("14106009", "Cardiac pacemaker, device"), manufacturer: "Hourglass Rhythm Devices (fictitious)",
		model: "Metronome DR", item: "09999900000112"}
	kneeProsthesis = implantKind{kind: snomed("109228008", "Knee joint prosthesis"), manufacturer: "Granite Joint Works (fictitious)",
		model: "Feldspar Knee", item: "09999900000228"}
)

// device writes the Device that a procedure of a visit left in the body (US Core Implantable
// Device). Its UDI is in the form of GS1: identifier, dates of manufacture and expiry, lot and
// serial number.
func (r *scribe) device(v *visit, k *implantKind) {
	made := midnight(v.start).AddDate(0, -7, -(r.n % 20))
	expires := made.AddDate(5, 0, 0)
	lot, serial := "L"+padded(r.n%9973, 4), "SN"+padded(r.n, 7)
	udi := "(01)" + k.item + "(11)" + made.Format("060102") + "(17)" + expires.Format("060102") + "(10)" + lot + "(21)" + serial
	r.begin("Device", r.next("dev", &r.written.devices), usCore+"us-core-implantable-device")
	r.Array("udiCarrier")
	r.Object("")
	r.String("deviceIdentifier", k.item)
	r.String("issuer", "http://hl7.org/fhir/NamingSystem/gs1-di")
	r.String("jurisdiction", "http://hl7.org/fhir/NamingSystem/fda-udi")
	r.Base64("carrierAIDC", []byte(udi))
	r.String("carrierHRF", udi)
	r.String("entryType", "barcode")
	r.End()
	r.EndArray()
	r.String("status", "active")
	r.String("distinctIdentifier", serial)
	r.String("manufacturer", k.manufacturer)
	r.DateTime("manufactureDate", made)
	r.DateTime("expirationDate", expires)
	r.String("lotNumber", lot)
	r.String("serialNumber", serial)
	r.Array("deviceName")
	r.Object("")
	r.String("name", k.model)
	r.String("type", "model-name")
	r.End()
	r.EndArray()
	r.Concept("type", meaning(k.kind))
	r.aboutPatient("patient")
	r.put(v.start.Add(3 * time.Hour))
}
