// Package seed makes the data that a world starts with: a population of made-up patients, the
// same bytes for the same seed, and what people load of their own as NDJSON, Bundles, archives
// and directories. Either way it hands over one Resource after the other; storing them is left
// to others. It knows no store, no HTTP and no tokens.
//
// # The population
//
// [Population] makes patients of US Core 6.1.0 and 3.1.1 with a coherent life each: conditions
// come at the ages at which people get them and bring visits, vital signs, laboratory panels,
// procedures, prescriptions, vaccines, plans, notes and claims (CARIN Blue Button 2.0.0) after
// them. [Population.Evolve] tells what becomes of them as days pass. docs/data.md describes
// it all: the types, the personas, the organizations and groups, and what happens when.
//
// Nobody in it is real, and nothing in it looks as if: every resource has the security label
// HTEST, towns and streets are invented, telephone numbers are of the range 555-0100 to 555-0199,
// e-mail and identifier systems are under example.org, National Provider Identifiers begin with
// 9, numbers in the form of a social security number are of area 999, tax numbers begin with 00,
// National Drug Codes and device identifiers are of labeler 99999.
//
// Ids can be read and stay the same: the 17th patient is pt-000017, their third encounter
// pt-000017-enc-003, and likewise alg, bin, claim, cond, cov, dev, doc, eob, form, goal, imm,
// med, obs, ord, plan, proc, prov, rel, rep, spec and team. What there is one of has a name:
// pt-000017-ccd, pt-000017-death. References are literal and relative, and all of them resolve
// within the population.
//
// # Organizations
//
// Payers are payer-sandpiper with its subsidiary payer-tern, payer-dunegrass and payer-saltmarsh;
// the largest provider is provider-mica with provider-mica-hospital and provider-mica-clinic,
// part of which is provider-mica-kids.
//
// Everything about one patient belongs to one organization ([Resource.Organization]), so that
// each organization's view is complete: whatever a resource of it refers to is in it too, or is
// shared. That organization is the patient's payer; of every fifth patient (5, 10, 15 …) and of
// the uninsured it is the clinic, whose record has no claims. Organization, Location,
// Practitioner, PractitionerRole, Endpoint, Medication and the Groups that are nobody's in
// particular are shared.
package seed
