package seed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

func members(group record) []string {
	var ids []string
	for _, m := range list(at(group.body, "member")) {
		ids = append(ids, strings.TrimPrefix(text(m, "entity", "reference"), "Patient/"))
	}
	return ids
}

func TestGroups(t *testing.T) {
	t.Parallel()
	for _, patients := range []int{1, 3, 120} {
		t.Run(fmt.Sprintf("%d patients", patients), func(t *testing.T) {
			t.Parallel()
			all, index := decode(t, seed.Population{Seed: 1, Patients: patients})
			groups, of := 0, make(map[string]map[string]bool)
			for _, r := range all {
				if r.Type != "Group" {
					continue
				}
				groups++
				of[r.ID] = make(map[string]bool)
				for _, id := range members(r) {
					if _, ok := index["Patient/"+id]; !ok || of[r.ID][id] {
						t.Errorf("%s: the member %s is there twice or does not exist", r.key(), id)
					}
					of[r.ID][id] = true
				}
				if n, _ := at(r.body, "quantity").(float64); int(n) != len(of[r.ID]) {
					t.Errorf("%s: quantity %v, but %d members", r.key(), n, len(of[r.ID]))
				}
				if _, has := r.body["member"]; has && len(of[r.ID]) == 0 {
					t.Errorf("%s: an empty array is not FHIR", r.key())
				}
			}
			if groups != 10 || len(of["all"]) != patients || len(of["empty"]) != 0 || len(of["one"]) != 1 {
				t.Errorf("got %d groups with all %d, one %d, empty %d; want 10 groups for %d patients", groups, len(of["all"]), len(of["one"]), len(of["empty"]), patients)
			}
			held, diabetic := 0, make(map[string]bool)
			for _, r := range all {
				if r.Type == "Condition" && text(r.body, "code", "coding", 0, "code") == "44054006" {
					diabetic[r.patient()] = true
				}
				if r.Type == "Patient" && strings.HasPrefix(r.Organization, "payer-") {
					joins := r.ID == "pt-000019" || r.ID == "pt-000069" || r.ID == "pt-000119" // in the next days
					if !joins {
						held++
					}
					if of[r.Organization][r.ID] == joins {
						t.Errorf("%s is held by %s: in its group %v, want %v", r.key(), r.Organization, joins, !joins)
					}
				}
			}
			inPayers := 0
			for _, payer := range []string{"payer-sandpiper", "payer-dunegrass", "payer-saltmarsh", "payer-tern"} {
				inPayers += len(of[payer])
				if index["Group/"+payer].Organization != payer {
					t.Errorf("Group/%s belongs to %q", payer, index["Group/"+payer].Organization)
				}
				if patients > 100 && len(of[payer]) < 5 {
					t.Errorf("Group/%s has %d members, want some", payer, len(of[payer]))
				}
			}
			if inPayers != held || len(diabetic) != len(of["diabetes"]) {
				t.Errorf("got %d members of payers' groups and %d of diabetes, want %d and %d", inPayers, len(of["diabetes"]), held, len(diabetic))
			}
		})
	}
}

// TestPersonas holds what the package comment says of the first patients, whatever the seed.
func TestPersonas(t *testing.T) {
	t.Parallel()
	for s := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", s), func(t *testing.T) {
			t.Parallel()
			all, index := decode(t, seed.Population{Seed: s, Patients: 12})
			codes, kinds := make(map[string]map[string]int), make(map[string]map[string]int)
			for _, r := range all {
				p := r.patient()
				if codes[p] == nil {
					codes[p], kinds[p] = make(map[string]int), make(map[string]int)
				}
				kinds[p][r.Type]++
				for _, name := range []string{"code", "vaccineCode", "type"} {
					codes[p][text(r.body, name, "coding", 0, "code")]++
				}
			}
			for i, want := range []struct {
				family, organization string
				codes                []string
			}{
				{"Sandoval", "payer-saltmarsh", []string{"9843-4", "77606-2", "8289-1", "20"}},
				{"Okafor", "payer-sandpiper", []string{"72892002", "195967001", "82810-3"}},
				{"Lindqvist", "payer-dunegrass", []string{"44054006", "59621000", "55822004", "4548-4"}},
				{"Featherstonehaugh", "payer-dunegrass", []string{"13645005", "49436004", "59621000", "69453-9"}},
				{"Niemand", "provider-", nil},
				{"Begay", "payer-dunegrass", []string{"49436004", "307280005", "14106009"}},
				{"O'Brien-Núñez", "payer-tern", []string{"370143000"}},
				{"Longwind", "payer-sandpiper", []string{"59621000"}},
				{"Twomey", "payer-saltmarsh", []string{"29463-7", "9843-4"}},
				{"Venkataraghavan", "provider-", []string{"44054006", "59621000", "55822004", "40930008", "239873007"}},
				{"Methuen", "payer-dunegrass", []string{"59621000", "64859006"}},
				{"Sunahara", "payer-sandpiper", nil},
			} {
				id := fmt.Sprintf("pt-%06d", i+1)
				p := index["Patient/"+id]
				if got := text(p.body, "name", 0, "family"); got != want.family || !strings.HasPrefix(p.Organization, want.organization) {
					t.Errorf("%s: got %q of %s, want %q of %s", id, got, p.Organization, want.family, want.organization)
				}
				for _, c := range want.codes {
					if codes[id][c] == 0 {
						t.Errorf("%s: there is no %s", id, c)
					}
				}
			}
			patient := func(n int) map[string]any { return index[fmt.Sprintf("Patient/pt-%06d", n)].body }
			if death, ok := moment(text(patient(4), "deceasedDateTime")); !ok || newYear.Sub(death) > 141*24*time.Hour {
				t.Errorf("pt-000004: died %v", death)
			}
			if k := kinds["pt-000005"]; len(k) != 1 || k["Patient"] != 1 {
				t.Errorf("pt-000005: got %v, want a Patient alone", k)
			}
			if kinds["pt-000006"]["Device"] != 1 {
				t.Errorf("pt-000006: got %d Devices", kinds["pt-000006"]["Device"])
			}
			if text(patient(7), "name", 1, "use") != "old" || text(patient(7), "name", 1, "family") != "Wolański" || text(patient(7), "address", 1, "use") != "old" {
				t.Errorf("pt-000007: got the names %v and addresses %v", patient(7)["name"], patient(7)["address"])
			}
			if n := len(text(patient(8), "text", "div")); n < 60_000 || n > 62_000 {
				t.Errorf("pt-000008: got a narrative of %d bytes", n)
			}
			if text(index["RelatedPerson/pt-000009-rel-001"].body, "relationship", 0, "coding", 0, "code") != "MTH" || patient(9)["multipleBirthInteger"] != 2.0 {
				t.Errorf("pt-000009: no mother, or no twin")
			}
			if first, _ := moment(text(index["Encounter/pt-000010-enc-001"].body, "period", "start")); newYear.Sub(first) < 14*year*24*time.Hour {
				t.Errorf("pt-000010: the history begins %v", first)
			}
			if birth, _ := moment(text(patient(11), "birthDate")); birth.Year() != 1921 {
				t.Errorf("pt-000011: born %v", birth)
			}
			if text(patient(12), "address", 0, "country") != "JP" || text(patient(12), "name", 1, "family") != "砂原" {
				t.Errorf("pt-000012: got the names %v and addresses %v", patient(12)["name"], patient(12)["address"])
			}
		})
	}
}
