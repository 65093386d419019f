package population

import "time"

// A vaccine is a product, and when it is given.
type vaccine struct {
	cvx, text string
	product   int       // of our own National Drug Codes
	admin     coding    // HCPCS; no code: no line of a claim
	since     time.Time // not used before
	until     time.Time // not used from this day on; zero: still used
}

func cvx(code, text string, product int) *vaccine {
	return &vaccine{cvx: code, text: text, product: product}
}

func (v *vaccine) from(year int, month time.Month) *vaccine {
	v.since = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return v
}

func (v *vaccine) to(year int, month time.Month) *vaccine {
	v.until = time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return v
}

func (v *vaccine) claimedAs(admin coding) *vaccine {
	v.admin = admin
	return v
}

// ndc returns a National Drug Code of eleven digits. No labeler has the number 99999.
func (v *vaccine) ndc() string { return "99999" + padded(v.product, 4) + "10" }

// usable tells whether the vaccine was in use on the day t.
func (v *vaccine) usable(t time.Time) bool {
	return !t.Before(v.since) && (v.until.IsZero() || t.Before(v.until))
}

// What the giving of a vaccine is claimed as. HCPCS has no level II code for the other ones.
var (
	fluShot  = hcpcs("G0008", "Administration of influenza virus vaccine")
	lungShot = hcpcs("G0009", "Administration of pneumococcal vaccine")
	hepBShot = hcpcs("G0010", "Administration of hepatitis b vaccine")
)

var (
	hepB        = cvx("08", "Hep B, adolescent or pediatric", 801).claimedAs(hepBShot)
	dtap        = cvx("20", "DTaP", 802)
	polio       = cvx("10", "IPV", 803)
	hib         = cvx("49", "Hib (PRP-OMP)", 804)
	pcv13       = cvx("133", "Pneumococcal conjugate PCV 13", 805).claimedAs(lungShot)
	rotavirus   = cvx("119", "rotavirus, monovalent", 806).from(2008, 4)
	mmr         = cvx("03", "MMR", 807)
	varicella   = cvx("21", "varicella", 808).from(1995, 4)
	hepA        = cvx("83", "Hep A, ped/adol, 2 dose", 809)
	tdap        = cvx("115", "Tdap", 810).from(2005, 7)
	hpv         = cvx("62", "HPV, quadrivalent", 811).from(2006, 7)
	meningo     = cvx("114", "meningococcal MCV4P", 812).from(2005, 2)
	tetanus     = cvx("113", "Td (adult) preservative free", 813)
	influenza   = cvx("140", "Influenza, seasonal, injectable, preservative free", 814).claimedAs(fluShot)
	zosterLive  = cvx("121", "zoster", 815).from(2006, 6).to(2018, 1)
	zosterNew   = cvx("187", "zoster recombinant", 816).from(2018, 1)
	ppsv23      = cvx("33", "pneumococcal polysaccharide PPV23", 817).claimedAs(lungShot)
	covidPfizer = cvx("208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose", 818).from(2021, 3).to(2022, 9)
)

// A dose is due from an age on, for so many months.
type dose struct {
	vaccine *vaccine
	month   int // age in months
	within  int // months in which it is made up for
	number  int // of the series
}

// childhood is the schedule from birth to the age of 18.
var childhood = []dose{
	{hepB, 0, 2, 1}, {hepB, 1, 6, 2}, {hepB, 6, 14, 3},
	{rotavirus, 2, 2, 1}, {rotavirus, 4, 3, 2},
	{dtap, 2, 4, 1}, {dtap, 4, 4, 2}, {dtap, 6, 8, 3}, {dtap, 15, 14, 4}, {dtap, 48, 30, 5},
	{hib, 2, 4, 1}, {hib, 4, 8, 2}, {hib, 12, 14, 3},
	{pcv13, 2, 4, 1}, {pcv13, 4, 4, 2}, {pcv13, 6, 8, 3}, {pcv13, 12, 14, 4},
	{polio, 2, 4, 1}, {polio, 4, 8, 2}, {polio, 6, 16, 3}, {polio, 48, 30, 4},
	{mmr, 12, 20, 1}, {mmr, 48, 40, 2},
	{varicella, 12, 20, 1}, {varicella, 48, 40, 2},
	{hepA, 12, 20, 1}, {hepA, 18, 40, 2},
	{tdap, 132, 50, 1}, {hpv, 132, 50, 1}, {hpv, 144, 50, 2}, {meningo, 132, 50, 1}, {meningo, 192, 20, 2},
}

// A booster is due to grown-ups again and again, or once.
type booster struct {
	vaccine  *vaccine
	from, to int // years of age
	every    int // months; 0: once
	permille int // of those due who take it at a visit
}

var boosters = []booster{
	{influenza, 1, 120, 11, 420},
	{covidPfizer, 12, 120, 0, 600},
	{tetanus, 19, 120, 120, 300},
	{zosterLive, 60, 120, 0, 250},
	{zosterNew, 50, 120, 0, 350},
	{ppsv23, 65, 120, 0, 500},
}
