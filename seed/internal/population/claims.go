package population

import "time"

// A claim is what a provider asks of the payer for one visit, or a pharmacy for one fill, and
// what becomes of it.
type claim struct {
	id       string
	created  time.Time // when the payer received it
	paidOn   time.Time
	served   time.Time
	denied   bool
	lines    []line
	visit    *visit
	filled   *prescription // of a pharmacy's claim
	refill   int           // number of the fill, from 0
	provider *provider
}

// A line is one service of a claim with its amounts, in cents.
type line struct {
	service     coding
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
const claimYears = 4

// claims writes the claims of a member in the order of service. A claim that has not been paid
// by the population's instant is not there yet.
func (r *scribe) claims() {
	if !r.isMember() {
		return
	}
	s := newStream(r.seed, "claims", r.n)
	oldest := r.asOf.AddDate(-claimYears, 0, 0)
	for _, v := range r.visits {
		if v.start.Before(oldest) {
			continue
		}
		r.professionalClaim(s, v)
		for _, p := range v.prescriptions {
			r.pharmacyClaim(s, p, 0)
			if again := s.chance(450); again && p.drug.refills > 0 {
				r.pharmacyClaim(s, p, 1)
			}
		}
	}
}

// professionalClaim claims what a visit's provider did.
func (r *scribe) professionalClaim(s *stream, v *visit) {
	c := &claim{visit: v, served: v.start, provider: v.site}
	days := max(daysFrom(midnight(v.start), midnight(v.end)), 1)
	if v.kind.class != inpatient {
		days = 1
	}
	c.lines = append(c.lines, line{service: v.kind.service, submitted: v.kind.cents*days + 100*s.between(0, 40)})
	for _, res := range v.results {
		if res.panel.claim.Code != "" {
			c.lines = append(c.lines, line{service: res.panel.claim, submitted: res.panel.cents})
		}
	}
	for _, shot := range v.shots {
		if shot.vaccine.admin.Code != "" && !shot.refused && !shot.reported {
			c.lines = append(c.lines, line{service: shot.vaccine.admin, submitted: 100 * s.between(24, 38)})
		}
	}
	if r.settle(s, c, v.end) {
		r.professionalBenefit(c)
	}
}

// pharmacyClaim claims a fill of a prescription.
func (r *scribe) pharmacyClaim(s *stream, p *prescription, refill int) {
	served := p.visit.end.Add(time.Duration(s.between(40, 26*60)) * time.Minute)
	served = served.Add(time.Duration(refill*p.drug.supply) * day)
	if !r.death.IsZero() && served.After(r.death) || !p.ended.IsZero() && refill > 0 && served.After(p.ended) {
		return
	}
	c := &claim{visit: p.visit, filled: p, refill: refill, served: served, provider: &driftwood}
	c.lines = []line{{service: coding{System: sysNDC, Code: p.drug.ndc(), Display: p.drug.text}, submitted: p.drug.cents + s.between(0, 399)}}
	if r.settle(s, c, served) {
		r.pharmacyBenefit(c)
	}
}

// settle adjudicates a claim for services that ended at an instant. It is false when the payer
// has not paid yet.
func (r *scribe) settle(s *stream, c *claim, ended time.Time) bool {
	received, paid := s.between(1, 12), s.between(4, 16)
	if c.filled != nil {
		received, paid = 0, s.between(2, 8)
	}
	c.created = ended.Add(time.Duration(received)*day + time.Duration(s.between(20, 200))*time.Minute)
	c.paidOn = midnight(c.created).Add(time.Duration(paid) * day)
	c.denied = s.chance(25)
	for i := range c.lines {
		r.adjudicate(s, c, &c.lines[i])
	}
	if !c.paidOn.Add(day).Before(r.asOf) {
		return false
	}
	c.id = r.next("eob", &r.written.claims)
	return true
}

// adjudicate divides the price of a line between the provider, who gives a discount, the member
// and the payer.
func (r *scribe) adjudicate(s *stream, c *claim, l *line) {
	if c.denied {
		l.noncovered = l.submitted
		return
	}
	l.eligible = l.submitted * s.between(58, 92) / 100
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
	case r.payer == &sandpiper && c.visit.kind.class == ambulatory:
		if l == &c.lines[0] {
			l.copay = min(rest, 2500)
		}
		rest -= l.copay
	default:
		yearly := 24000
		if r.payer == &sandpiper {
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
