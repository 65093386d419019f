// Package seed makes the data that a world starts with: a population of made-up patients, the
// same bytes for the same seed, and what people load of their own as NDJSON, Bundles, archives
// and directories. Either way it hands over one Resource after the other; storing them is left
// to others. It knows no store, no HTTP and no tokens.
//
// # The population
//
// [Population] makes US Core patients (6.1.0, and 3.1.1 where the two agree) with a coherent
// life each: conditions come at the ages at which people get them and bring visits, vital signs,
// laboratory panels, procedures, prescriptions, vaccines and claims (CARIN Blue Button 2.0.0)
// after them. Types: AllergyIntolerance, Condition, Coverage, DiagnosticReport, Encounter,
// ExplanationOfBenefit, Group, Immunization, Location, MedicationRequest, Observation,
// Organization, Patient, Practitioner, Procedure, Provenance and Specimen, about a hundred
// resources a patient, of which most have some dozens and a few have many hundreds.
//
// Nobody in it is real, and nothing in it looks as if: every resource has the security label
// HTEST, towns and streets are invented, telephone numbers are of the range 555-0100 to 555-0199,
// e-mail and identifier systems are under example.org, National Provider Identifiers begin with
// 9, numbers in the form of a social security number are of area 999, National Drug Codes of
// labeler 99999.
//
// Ids can be read and stay the same: the 17th patient is pt-000017, their third encounter
// pt-000017-enc-003, and likewise alg, cond, cov, eob, imm, med, obs, proc, prov, rep and spec.
// References are literal and relative, and all of them resolve within the population.
//
// # Organizations
//
//	payer-sandpiper             Sandpiper Health Plan, private insurance
//	payer-dunegrass             Dunegrass Medicare Advantage
//	payer-saltmarsh             Saltmarsh Community Care, Medicaid
//	provider-mica               Mica Valley Health System
//	  provider-mica-hospital      Mica Valley Hospital
//	  provider-mica-clinic        Mica Valley Primary Care
//	    provider-mica-kids          Mica Valley Children's Clinic
//	provider-pebble             Pebble Creek Family Practice
//	provider-lighthouse         Lighthouse Women's Health
//	provider-driftwood-pharmacy Driftwood Pharmacy
//	provider-silica-lab         Silica Reference Laboratory
//
// Everything about one patient belongs to one organization ([Resource.Organization]), so that
// each organization's view is complete: whatever a resource of it refers to is in it too, or is
// shared. That organization is the patient's payer; of every fifth patient (5, 10, 15 …) and of
// the uninsured it is the clinic, whose record has no claims. Organization, Location,
// Practitioner and the Groups that are nobody's in particular are shared.
//
// # Groups
//
//	all              every patient
//	payer-sandpiper  the members whose record the payer holds; it belongs to the payer,
//	payer-dunegrass  and so do these two
//	payer-saltmarsh
//	diabetes         who has type 2 diabetes
//	one              the first patient alone
//	empty            nobody
//
// # Personas
//
// The first patients are the same people in every population; their ages count back from AsOf.
//
//	pt-000001  Hazel Sandoval, a girl of eight months: growth and its percentiles, first vaccines (payer-saltmarsh)
//	pt-000002  Marisol Okafor, 31, in the last third of a pregnancy, with asthma (payer-sandpiper)
//	pt-000003  Walter Lindqvist, 74, with diabetes, hypertension and hyperlipidemia (payer-dunegrass)
//	pt-000004  Dorothy Featherstonehaugh, who died in hospital at 83, with COPD, atrial fibrillation and hypertension (payer-dunegrass)
//	pt-000005  Niemand, of whom nothing is known but a family name, a gender and a year of birth
package seed
