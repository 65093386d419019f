package population

// A payer is an organization that insures people.
type payer struct {
	id, name, domain string
	naic             string
	home             town
	kind             coding // of payment (Source of Payment Typology)
	plan, planName   string
	memberPrefix     string
	partOf           *payer // whose subsidiary it is; nil: nobody's
}

// A provider is an organization that treats people or works for those who do.
type provider struct {
	id, name, domain string
	partOf           string // id of the provider that it is part of, or ""
	specialty        coding // NUCC
	clia             string // of a laboratory
	home             town
	street           string
	latitude         int // in 1/10,000 degree
	longitude        int
	site             coding // of its Location (v3-RoleCode); none: it has no Location
}

// Payers and providers are the same in every population, whatever the seed: examples and tests
// name them.
var (
	sandpiper = payer{"payer-sandpiper", "Sandpiper Health Plan", "sandpiper.example.org", "99901", barrierBeach,
		coding{System: sysPayment, Code: "5", Display: "PRIVATE HEALTH INSURANCE"}, "coastal-ppo", "Coastal PPO", "SPH", nil}
	dunegrass = payer{"payer-dunegrass", "Dunegrass Medicare Advantage", "dunegrass.example.org", "99902", coquinaKey,
		coding{System: sysPayment, Code: "1", Display: "MEDICARE"}, "golden-sands", "Golden Sands HMO", "DGM", nil}
	saltmarsh = payer{"payer-saltmarsh", "Saltmarsh Community Care", "saltmarsh.example.org", "99903", sandyMission,
		coding{System: sysPayment, Code: "2", Display: "MEDICAID"}, "tidal-care", "Tidal Care Medicaid", "SCC", nil}
	tern = payer{"payer-tern", "Tern Exchange Plans", "tern.example.org", "99904", barrierBeach,
		coding{System: sysPayment, Code: "5", Display: "PRIVATE HEALTH INSURANCE"}, "silver-tern", "Silver Tern EPO", "TRN", &sandpiper}

	payers = []*payer{&sandpiper, &dunegrass, &saltmarsh, &tern}
)

var (
	mica = provider{"provider-mica", "Mica Valley Health System", "mica.example.org", "",
		nucc("282N00000X", "General Acute Care Hospital"), "", duneValley, "1 Feldspar Court", 377321, -1055133, coding{}}
	micaHospital = provider{"provider-mica-hospital", "Mica Valley Hospital", "hospital.mica.example.org", mica.id,
		nucc("282N00000X", "General Acute Care Hospital"), "", duneValley, "1 Feldspar Court", 377321, -1055133,
		role("HOSP", "Hospital")}
	micaClinic = provider{"provider-mica-clinic", "Mica Valley Primary Care", "clinic.mica.example.org", mica.id,
		nucc("261QP2300X", "Primary Care Clinic/Center"), "", duneValley, "20 Quartz Street", 377402, -1055021,
		role("PC", "Primary care clinic")}
	micaKids = provider{"provider-mica-kids", "Mica Valley Children's Clinic", "kids.mica.example.org", micaClinic.id,
		nucc("261QP2300X", "Primary Care Clinic/Center"), "", duneValley, "22 Quartz Street", 377403, -1055019,
		role("PEDC", "Pediatrics clinic")}
	pebble = provider{"provider-pebble", "Pebble Creek Family Practice", "pebble.example.org", "",
		nucc("261QP2300X", "Primary Care Clinic/Center"), "", eastDuneHollow, "7 Pebble Avenue", 446994, -734529,
		role("FMC", "Family medicine clinic")}
	lighthouse = provider{"provider-lighthouse", "Lighthouse Women's Health", "lighthouse.example.org", "",
		nucc("261QP2300X", "Primary Care Clinic/Center"), "", soundGravel, "300 Lighthouse Street", 473829, -1226541,
		role("GYN", "Gynecology clinic")}
	driftwood = provider{"provider-driftwood-pharmacy", "Driftwood Pharmacy", "driftwood.example.org", "",
		nucc("3336C0003X", "Community/Retail Pharmacy"), "", duneValley, "5 Driftwood Drive", 377388, -1055067,
		role("OUTPHARM", "outpatient pharmacy")}
	silica = provider{"provider-silica-lab", "Silica Reference Laboratory", "silica.example.org", "",
		nucc("291U00000X", "Clinical Medical Laboratory"), "99D9999999", duneValley, "90 Old Quarry Road", 377510, -1055240,
		coding{}}

	providers = []*provider{&mica, &micaHospital, &micaClinic, &micaKids, &pebble, &lighthouse, &driftwood, &silica}
)

// private tells whether the payer insures those whom neither Medicare nor Medicaid does.
func (p *payer) private() bool { return p.kind.Code == "5" }

func nucc(code, display string) coding { return coding{System: sysNUCC, Code: code, Display: display} }

func role(code, display string) coding {
	return coding{System: tho + "v3-RoleCode", Code: code, Display: display}
}

// siteID returns the id of the provider's Location.
func (p *provider) siteID() string { return "location-" + p.id[len("provider-"):] }

// A practitioner works for one provider.
type practitioner struct {
	n         int
	id        string
	family    string
	given     string
	female    bool
	specialty coding
	employer  *provider
}

func (p *practitioner) name() string { return p.given + " " + p.family }

// A post is a kind of practitioner that a provider employs, and how many of it.
type post struct {
	employer  *provider
	specialty coding
	count     int
}

var posts = []post{
	{&micaClinic, nucc("207Q00000X", "Family Medicine Physician"), 3},
	{&micaClinic, nucc("207R00000X", "Internal Medicine Physician"), 3},
	{&micaKids, nucc("208000000X", "Pediatrics Physician"), 4},
	{&micaHospital, nucc("207P00000X", "Emergency Medicine Physician"), 3},
	{&micaHospital, nucc("208M00000X", "Hospitalist Physician"), 2},
	{&pebble, nucc("207Q00000X", "Family Medicine Physician"), 4},
	{&lighthouse, nucc("207V00000X", "Obstetrics & Gynecology Physician"), 3},
	{&driftwood, nucc("183500000X", "Pharmacist"), 2},
}

// A world is the context that all patients of a population share. Its size does not depend on
// theirs.
type world struct {
	practitioners []*practitioner
	staff         map[*provider][]*practitioner // looked up only, never ranged over
}

func newWorld(seed uint64) *world {
	w := &world{staff: make(map[*provider][]*practitioner)}
	for _, post := range posts {
		for range post.count {
			n := len(w.practitioners) + 1
			s := newStream(seed, "practitioner", n)
			p := &practitioner{n: n, id: "practitioner-" + padded(n, 3), specialty: post.specialty, employer: post.employer}
			p.female = s.chance(500)
			names := communities[s.weighted(communityShares)].adults
			p.family = names.family(s, true)
			p.given = names.given(p.female)[s.early(len(names.given(p.female)))]
			w.practitioners = append(w.practitioners, p)
			w.staff[post.employer] = append(w.staff[post.employer], p)
		}
	}
	return w
}

// given returns the stock's given names of women or of men.
func (s stock) given(female bool) []string {
	if female {
		return s.women
	}
	return s.men
}

// communityShares are the weights of communities.
var communityShares = func() []int {
	shares := make([]int, len(communities))
	for i, c := range communities {
		shares[i] = c.permille
	}
	return shares
}()
