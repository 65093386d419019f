package population

import "time"

// A claimForm is how a claim is made: who makes it and for what.
type claimForm int

const (
	professional claimForm = iota // practitioners, and those who work like them
	inpatientStayClaim
	outpatientClaim // of a hospital for people who go home the same day
	pharmacyClaim
)

// A claim is what a provider asks of the payer for one visit, or a pharmacy for one fill, and
// what becomes of it.
type claim struct {
	form     claimForm
	n        int // number among the patient's claims
	created  time.Time
	paidOn   time.Time
	served   time.Time
	ended    time.Time
	denied   bool
	lines    []line
	visit    *visit
	doctor   *practitioner
	filled   *prescription // of a pharmacy's claim
	fill     *fill
	provider *provider
	ride     *ride // of an ambulance's claim

	noted      bool      // the payer adds a note
	replacedOn time.Time // when a corrected claim for the same was paid; zero: never
	corrected  bool      // it is that claim
	atHeader   bool      // adjudicated as a whole, not line by line
}

// A line is one service of a claim with its amounts, in cents.
type line struct {
	service     coding
	revenue     coding // of a hospital's line (NUBC)
	modifier    coding // HCPCS; no code: none
	units       int
	submitted   int // = discount + eligible + noncovered
	discount    int
	noncovered  int
	eligible    int // = deductible + copay + coinsurance + benefit
	deductible  int
	copay       int
	coinsurance int
	benefit     int // what the payer pays
}

// liability is what the member owes of a line.
func (l *line) liability() int { return l.deductible + l.copay + l.coinsurance + l.noncovered }

// A deductible counts what a member has paid towards it in a year.
type deductible struct {
	year, cents int
}

// claimYears is how far back payers keep claims.
var claimYears = [...]int{Usual: 4, Small: 1, Full: 10}

// claims writes the claims of a member in the order of service: what was claimed, and what the
// payer has decided of it by the population's instant. Every visit has choices of its own and
// every claim its number whether it is there yet or not, so that later days change neither.
func (r *scribe) claims() {
	if !r.isMember() {
		return
	}
	oldest := r.asOf.AddDate(-claimYears[r.richness], 0, 0)
	for i, v := range r.visits {
		if v.start.Before(oldest) {
			continue
		}
		s := newStream(r.seed, "claims", r.n<<12|i)
		r.visitClaim(s, v)
		if v.kind.class == emergency {
			r.rideClaim(s, v)
		}
		for _, p := range v.prescriptions {
			for i := range p.fills {
				r.fillClaim(s, p, &p.fills[i])
			}
		}
	}
}

// visitClaim claims what a visit's provider did.
func (r *scribe) visitClaim(s *stream, v *visit) {
	c := &claim{visit: v, served: v.start, ended: v.end, provider: v.site, doctor: v.doctor}
	switch {
	case v.kind.class == inpatient:
		c.form = inpatientStayClaim
		c.stayLines(s)
	case v.kind.class == emergency || v.kind == &examVisit:
		c.form = outpatientClaim
		c.visitLines(s)
	default:
		c.visitLines(s)
	}
	r.settle(s, c)
}

// visitLines are the services of a visit of less than a day.
func (c *claim) visitLines(s *stream) {
	v := c.visit
	first := line{service: v.kind.service, revenue: clinicRevenue, units: 1, submitted: v.kind.cents + 100*s.between(0, 40)}
	if v.kind.class == emergency {
		first.revenue = emergencyRevenue
	}
	if s.chance(150) {
		first.modifier = hcpcs("GC", "This service has been performed in part by a resident under the direction of a teaching physician")
	}
	c.lines = append(c.lines, first)
	for _, res := range v.results {
		if res.panel.claim.Code != "" {
			c.lines = append(c.lines, line{service: res.panel.claim, revenue: laboratoryRevenue, units: 1, submitted: res.panel.cents})
		}
	}
	for _, shot := range v.shots {
		if shot.vaccine.admin.Code != "" && !shot.refused && !shot.reported {
			c.lines = append(c.lines, line{service: shot.vaccine.admin, revenue: vaccineRevenue, units: 1, submitted: 100 * s.between(24, 38)})
		}
	}
}

// fillClaim claims a fill of a prescription.
func (r *scribe) fillClaim(s *stream, p *prescription, f *fill) {
	c := &claim{form: pharmacyClaim, visit: p.visit, doctor: p.visit.doctor, filled: p, fill: f, served: f.at, ended: f.at, provider: &driftwood}
	c.lines = []line{{service: p.drug.claimedAs(), units: 1, submitted: p.drug.cents + s.between(0, 399)}}
	r.settle(s, c)
}

// settle adjudicates a claim and writes what of it has happened. The number of choices depends on
// nothing but the number of lines.
func (r *scribe) settle(s *stream, c *claim) {
	received, paid := s.between(1, 12), s.between(4, 16)
	if c.filled != nil {
		received, paid = 0, s.between(2, 8)
	}
	c.created = c.ended.Add(time.Duration(received)*day + time.Duration(s.between(20, 200))*time.Minute)
	c.paidOn = midnight(c.created).Add(time.Duration(paid) * day)
	c.denied = s.chance(25)
	c.noted = s.chance(150) || c.denied
	replaced := s.chance([...]int{professional: 25, inpatientStayClaim: 250, outpatientClaim: 80, pharmacyClaim: 20}[c.form])
	again := s.between(14, 30)
	c.atHeader = r.payer == &dunegrass && (c.form == inpatientStayClaim || c.form == outpatientClaim)
	for i := range c.lines {
		r.adjudicate(s, c, &c.lines[i])
	}
	r.written.claims += 2
	c.n = r.written.claims - 1
	if left := r.b.leftOn(r.person.n); !left.IsZero() && c.served.After(left) {
		return
	}
	if c.filled != nil && !r.happened(c.filled, c.fill) || !c.created.Before(r.now) {
		return
	}
	r.claim(c)
	if !r.paidBy(c) {
		return
	}
	next := *c
	if replaced {
		next.n, next.corrected, next.noted = c.n+1, true, true
		next.created, next.paidOn = c.paidOn.Add(time.Duration(again)*day), c.paidOn.Add(time.Duration(again+9)*day)
		if r.paidBy(&next) {
			c.replacedOn = next.paidOn
		}
	}
	r.benefit(c)
	if replaced && next.created.Before(r.now) {
		r.claim(&next)
		if r.paidBy(&next) {
			r.benefit(&next)
		}
	}
}

// paidBy tells whether the payer has decided and paid.
func (r *scribe) paidBy(c *claim) bool { return c.paidOn.Add(day).Before(r.now) }

func (c *claim) id(r *scribe) string        { return partID(r.person.id, "claim", c.n) }
func (c *claim) benefitID(r *scribe) string { return partID(r.person.id, "eob", c.n) }

// adjudicate divides the price of a line between the provider, who gives a discount, the member
// and the payer.
func (r *scribe) adjudicate(s *stream, c *claim, l *line) {
	allowed := l.submitted * s.between(58, 92) / 100
	if c.denied {
		l.noncovered = l.submitted
		return
	}
	l.eligible = allowed
	l.discount = l.submitted - l.eligible
	rest := l.eligible
	if c.served.Year() != r.paid.year {
		r.paid = deductible{year: c.served.Year()}
	}
	switch {
	case r.payer == &saltmarsh, c.filled == nil && c.visit.kind.preventive():
		// Medicaid and prevention: nothing is left to the member.
	case c.filled != nil:
		l.copay = min(rest, 1000)
		if c.filled.drug.brand {
			l.copay = min(rest, 4000)
		}
		rest -= l.copay
	case r.payer.private() && c.visit.kind.class == ambulatory:
		if l == &c.lines[0] {
			l.copay = min(rest, 2500)
		}
		rest -= l.copay
	default:
		yearly := 24000
		if r.payer.private() {
			yearly = 100000
		}
		l.deductible = min(rest, yearly-r.paid.cents)
		r.paid.cents += l.deductible
		rest -= l.deductible
		l.coinsurance = rest / 5
		rest -= l.coinsurance
	}
	l.benefit = rest
}
