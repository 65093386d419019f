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
	for s := range uint64(5) {
		t.Run(fmt.Sprintf("seed %d", s), func(t *testing.T) {
			t.Parallel()
			all, index := decode(t, seed.Population{Seed: s, Patients: 5})
			codes, kinds := make(map[string]map[string]int), make(map[string]map[string]int)
			for _, r := range all {
				p := r.patient()
				if codes[p] == nil {
					codes[p], kinds[p] = make(map[string]int), make(map[string]int)
				}
				kinds[p][r.Type]++
				for _, name := range []string{"code", "vaccineCode"} {
					codes[p][text(r.body, name, "coding", 0, "code")]++
				}
			}
			for i, want := range []struct {
				family, organization string
				conditions           []string
			}{
				{"Sandoval", "payer-saltmarsh", nil},
				{"Okafor", "payer-sandpiper", []string{"72892002", "195967001"}},
				{"Lindqvist", "payer-dunegrass", []string{"44054006", "59621000", "55822004"}},
				{"Featherstonehaugh", "payer-dunegrass", []string{"13645005", "49436004", "59621000"}},
				{"Niemand", "", nil},
			} {
				id := fmt.Sprintf("pt-%06d", i+1)
				p := index["Patient/"+id]
				if got := text(p.body, "name", 0, "family"); got != want.family {
					t.Errorf("%s: got the family name %q, want %q", id, got, want.family)
				}
				if want.organization != "" && p.Organization != want.organization {
					t.Errorf("%s belongs to %s, want %s", id, p.Organization, want.organization)
				}
				for _, c := range want.conditions {
					if codes[id][c] == 0 {
						t.Errorf("%s: no condition %s", id, c)
					}
				}
			}
			if c := codes["pt-000001"]; c["9843-4"] == 0 || c["77606-2"] == 0 || c["8289-1"] == 0 || c["20"] == 0 {
				t.Errorf("pt-000001: want head circumference, percentiles and DTaP, got %v", c)
			}
			if codes["pt-000002"]["82810-3"] == 0 {
				t.Error("pt-000002: no pregnancy status")
			}
			if codes["pt-000003"]["4548-4"] < 3 {
				t.Errorf("pt-000003: got %d HbA1c, want several", codes["pt-000003"]["4548-4"])
			}
			if death, ok := moment(text(index["Patient/pt-000004"].body, "deceasedDateTime")); !ok || newYear.Sub(death) > 141*24*time.Hour {
				t.Errorf("pt-000004: died %v", death)
			}
			if k := kinds["pt-000005"]; len(k) != 1 || k["Patient"] != 1 {
				t.Errorf("pt-000005: got %v, want a Patient alone", k)
			}
		})
	}
}
