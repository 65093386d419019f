package seed_test

import (
	"math"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// sums adds up the amounts of adjudications or totals by category, in cents.
func sums(into map[string]int, entries []any) {
	for _, e := range entries {
		if value, ok := at(e, "amount", "value").(float64); ok {
			into[text(e, "category", "coding", 0, "code")] += int(math.Round(value * 100))
		}
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	all, index := decode(t, seed.Population{Seed: 12, Patients: 80})
	kinds, denied := make(map[string]int), 0
	for _, r := range all {
		if r.Type != "ExplanationOfBenefit" {
			continue
		}
		kinds[text(r.body, "type", "coding", 0, "code")+text(r.body, "subType", "coding", 0, "code")]++
		claimed(t, r, index)
		items, totals := make(map[string]int), make(map[string]int)
		for _, item := range list(at(r.body, "item")) {
			line := make(map[string]int)
			sums(line, list(at(item, "adjudication")))
			balanced(t, r, line, false)
			for k, v := range line {
				items[k] += v
			}
		}
		header := make(map[string]int)
		sums(header, list(at(r.body, "adjudication")))
		if len(header) > 0 { // the claim as a whole instead of its lines
			if len(items) > 0 {
				t.Errorf("%s: amounts both of the claim and of its lines", r.key())
			}
			balanced(t, r, header, true)
			items = header
		}
		sums(totals, list(at(r.body, "total")))
		balanced(t, r, totals, true)
		for k := range items {
			if items[k] != totals[k] {
				t.Errorf("%s: the items' %s are %d cents, the total is %d", r.key(), k, items[k], totals[k])
			}
		}
		for _, name := range []string{"paidtoprovider", "memberliability"} { // of the whole alone
			items[name] = totals[name]
		}
		for k := range totals {
			if totals[k] != items[k] {
				t.Errorf("%s: the total of %s is %d cents, the items come to %d", r.key(), k, totals[k], items[k])
			}
		}
		if totals["submitted"] <= 0 {
			t.Errorf("%s: totals %v for items %v", r.key(), totals, items)
		}
		payment, _ := at(r.body, "payment", "amount", "value").(float64)
		if int(math.Round(payment*100)) != totals["benefit"] {
			t.Errorf("%s: payment %v, benefit %d cents", r.key(), payment, totals["benefit"])
		}
		if text(r.body, "payment", "type", "coding", 0, "code") == "denied" {
			denied++
		}
		sequences(t, r)
		payer := text(r.body, "insurer", "reference")
		cover := index[text(r.body, "insurance", 0, "coverage", "reference")]
		if payer != "Organization/"+r.Organization || text(cover.body, "payor", 0, "reference") != payer {
			t.Errorf("%s of %s: insurer %s, payor of its coverage %s", r.key(), r.Organization, payer, text(cover.body, "payor", 0, "reference"))
		}
		served, _ := moment(text(r.body, "billablePeriod", "start"))
		if from, ok := moment(text(cover.body, "period", "start")); !ok || served.Before(from) {
			t.Errorf("%s: served on %v, covered since %v", r.key(), served, from)
		}
	}
	if kinds["professional"] < 100 || kinds["pharmacy"] < 100 || kinds["institutionalinpatient"] < 3 || kinds["institutionaloutpatient"] < 10 || denied == 0 {
		t.Errorf("got claims %v and %d denied, want many professional and pharmacy ones, some of hospitals and some denied", kinds, denied)
	}
}

// claimed checks that a decision is about a Claim for the same, and that claims that replace each
// other say so.
func claimed(t *testing.T, r record, index map[string]record) {
	t.Helper()
	claim := index[text(r.body, "claim", "reference")]
	total, sum := 0.0, 0.0
	total, _ = at(claim.body, "total", "value").(float64)
	for _, item := range list(at(claim.body, "item")) {
		net, _ := at(item, "net", "value").(float64)
		sum += net
	}
	submitted := make(map[string]int)
	sums(submitted, list(at(r.body, "total")))
	if math.Round(total*100) != math.Round(sum*100) || int(math.Round(total*100)) != submitted["submitted"] {
		t.Errorf("%s: %s is for %.2f, its items for %.2f, and %d cents were submitted", r.key(), claim.key(), total, sum, submitted["submitted"])
	}
	number := text(r.body, "related", 0, "reference", "value")
	if number == "" {
		return
	}
	other := index["ExplanationOfBenefit/"+number[len("XXX-"):]]
	if back := text(other.body, "related", 0, "reference", "value"); back != text(r.body, "identifier", 0, "value") {
		t.Errorf("%s is related to %s, which is to %s", r.key(), number, back)
	}
}

// balanced checks how the amounts of a line or a claim divide up.
func balanced(t *testing.T, r record, a map[string]int, whole bool) {
	t.Helper()
	owed := a["deductible"] + a["copay"] + a["coinsurance"]
	for _, rule := range []struct {
		name      string
		got, want int
	}{
		{"submitted = eligible + discount + noncovered", a["submitted"], a["eligible"] + a["discount"] + a["noncovered"]},
		{"eligible = benefit + what the member owes of it", a["eligible"], a["benefit"] + owed},
		{"paidtoprovider = benefit", a["paidtoprovider"], a["benefit"]},
		{"memberliability = what the member owes + noncovered", a["memberliability"], owed + a["noncovered"]},
	} {
		ofWhole := strings.HasPrefix(rule.name, "paidtoprovider") || strings.HasPrefix(rule.name, "memberliability")
		if rule.got != rule.want && (whole || !ofWhole) {
			t.Errorf("%s: %s: got %d cents, want %d of %v", r.key(), rule.name, rule.got, rule.want, a)
		}
	}
}

// sequences checks that the parts are numbered 1 to n and that items point at parts that exist.
func sequences(t *testing.T, r record) {
	t.Helper()
	lengths := make(map[string]int)
	for _, part := range []string{"careTeam", "supportingInfo", "diagnosis", "item"} {
		entries := list(at(r.body, part))
		lengths[part] = len(entries)
		for i, e := range entries {
			if n, _ := at(e, "sequence").(float64); int(n) != i+1 {
				t.Errorf("%s: %s[%d] has the sequence %v", r.key(), part, i, n)
			}
		}
	}
	for _, item := range list(at(r.body, "item")) {
		for name, part := range map[string]string{"careTeamSequence": "careTeam", "diagnosisSequence": "diagnosis", "informationSequence": "supportingInfo"} {
			for _, n := range list(at(item, name)) {
				if v, _ := n.(float64); v < 1 || int(v) > lengths[part] {
					t.Errorf("%s: %s %v of %d", r.key(), name, v, lengths[part])
				}
			}
		}
	}
}
