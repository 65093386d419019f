package population

// A growthRow is the build of the middle child or adult of an age and how far others differ from
// it, by sex: women and men.
type growthRow struct {
	month     int
	height    [2]int // millimetres
	spread    int    // deviation of the height
	mass      [2]int // body mass index in hundredths of kg/m2
	massRange int    // deviation of the body mass index
	head      [2]int // head circumference in millimetres
}

const (
	woman = iota
	man
)

// growth follows the growth charts of WHO up to two years and of CDC up to twenty, roughly; the
// body mass index of adults rises until sixty and falls again.
var growth = []growthRow{
	{0, [2]int{491, 499}, 19, [2]int{1330, 1330}, 120, [2]int{339, 345}},
	{2, [2]int{571, 584}, 20, [2]int{1560, 1640}, 135, [2]int{383, 391}},
	{4, [2]int{621, 639}, 21, [2]int{1660, 1720}, 140, [2]int{406, 416}},
	{6, [2]int{657, 676}, 22, [2]int{1690, 1730}, 140, [2]int{422, 433}},
	{9, [2]int{701, 720}, 23, [2]int{1670, 1720}, 138, [2]int{438, 450}},
	{12, [2]int{740, 757}, 25, [2]int{1630, 1680}, 135, [2]int{449, 461}},
	{18, [2]int{807, 823}, 28, [2]int{1570, 1610}, 132, [2]int{462, 474}},
	{24, [2]int{857, 871}, 31, [2]int{1570, 1610}, 132, [2]int{472, 483}},
	{36, [2]int{942, 953}, 37, [2]int{1560, 1600}, 135, [2]int{485, 495}},
	{48, [2]int{1010, 1025}, 42, [2]int{1530, 1560}, 140, [2]int{493, 503}},
	{60, [2]int{1079, 1090}, 46, [2]int{1520, 1540}, 150, [2]int{499, 509}},
	{72, [2]int{1150, 1155}, 50, [2]int{1530, 1540}, 170, [2]int{503, 513}},
	{84, [2]int{1215, 1219}, 53, [2]int{1545, 1555}, 190, [2]int{506, 516}},
	{96, [2]int{1276, 1280}, 57, [2]int{1580, 1580}, 210, [2]int{509, 519}},
	{108, [2]int{1329, 1333}, 60, [2]int{1630, 1620}, 230, [2]int{512, 522}},
	{120, [2]int{1383, 1384}, 63, [2]int{1690, 1660}, 250, [2]int{516, 526}},
	{132, [2]int{1448, 1435}, 67, [2]int{1750, 1720}, 270, [2]int{521, 530}},
	{144, [2]int{1515, 1491}, 72, [2]int{1810, 1780}, 290, [2]int{527, 536}},
	{156, [2]int{1571, 1562}, 75, [2]int{1870, 1850}, 300, [2]int{532, 543}},
	{168, [2]int{1604, 1638}, 75, [2]int{1940, 1920}, 310, [2]int{537, 549}},
	{180, [2]int{1620, 1701}, 73, [2]int{1990, 1990}, 320, [2]int{540, 554}},
	{192, [2]int{1627, 1734}, 70, [2]int{2050, 2060}, 330, [2]int{543, 558}},
	{216, [2]int{1631, 1757}, 68, [2]int{2130, 2190}, 350, [2]int{545, 562}},
	{240, [2]int{1633, 1765}, 68, [2]int{2240, 2310}, 380, [2]int{546, 563}},
	{360, [2]int{1633, 1765}, 68, [2]int{2590, 2650}, 460, [2]int{546, 563}},
	{480, [2]int{1633, 1765}, 68, [2]int{2770, 2810}, 500, [2]int{546, 563}},
	{600, [2]int{1633, 1765}, 68, [2]int{2870, 2890}, 510, [2]int{546, 563}},
	{720, [2]int{1633, 1765}, 68, [2]int{2910, 2910}, 500, [2]int{546, 563}},
	{840, [2]int{1633, 1765}, 68, [2]int{2830, 2820}, 470, [2]int{546, 563}},
	{960, [2]int{1633, 1765}, 68, [2]int{2680, 2670}, 430, [2]int{546, 563}},
	{1300, [2]int{1633, 1765}, 68, [2]int{2400, 2400}, 380, [2]int{546, 563}},
}

// build returns the interpolated row of growth for an age in days.
func build(ageDays int) growthRow {
	const perMonth = 3044 // hundredths of a day
	at := ageDays * 100
	for i := 1; i < len(growth); i++ {
		a, b := &growth[i-1], &growth[i]
		if at >= b.month*perMonth && i < len(growth)-1 {
			continue
		}
		span := (b.month - a.month) * perMonth
		part := clamp(at-a.month*perMonth, 0, span)
		between := func(x, y int) int { return x + roundDiv((y-x)*part, span) }
		row := growthRow{month: a.month, spread: between(a.spread, b.spread), massRange: between(a.massRange, b.massRange)}
		for sex := range row.height {
			row.height[sex] = between(a.height[sex], b.height[sex])
			row.mass[sex] = between(a.mass[sex], b.mass[sex])
			row.head[sex] = between(a.head[sex], b.head[sex])
		}
		return row
	}
	return growth[len(growth)-1]
}

// percentiles of the normal distribution at 0, 0.1, 0.2 … deviations above the middle.
var percentiles = [...]int{50, 54, 58, 62, 66, 69, 73, 76, 79, 82, 84, 86, 88, 90, 92, 93, 95, 96, 96, 97, 98, 98, 99}

// percentile returns the per cent of people below z, which is in hundredths of a deviation.
func percentile(z int) int {
	if z < 0 {
		return 100 - percentile(-z)
	}
	return percentiles[min((z+5)/10, len(percentiles)-1)]
}

// filtrationRate estimates the glomerular filtration rate from the creatinine (hundredths of
// mg/dL) and the age after the MDRD formula, whose powers are taken from tables.
func filtrationRate(creatinine, years int, female bool) int {
	byCreatinine := [...]struct{ c, rate int }{{50, 389}, {60, 315}, {70, 264}, {80, 226}, {90, 198}, {100, 175}, {110, 157},
		{120, 142}, {130, 129}, {140, 119}, {150, 110}, {170, 95}, {200, 79}, {250, 61}, {300, 49}, {400, 35}, {800, 16}}
	byAge := [...]int{623, 544, 501, 473, 452, 436, 422, 411, 401, 393, 385} // thousandths, at 10, 20, 30 …
	rate := byCreatinine[0].rate
	for i := 1; i < len(byCreatinine); i++ {
		a, b := byCreatinine[i-1], byCreatinine[i]
		if creatinine >= a.c {
			rate = a.rate + roundDiv((b.rate-a.rate)*(min(creatinine, b.c)-a.c), b.c-a.c)
		}
	}
	decade := clamp(years/10-1, 0, len(byAge)-2)
	factor := byAge[decade] + roundDiv((byAge[decade+1]-byAge[decade])*clamp(years-10*(decade+1), 0, 10), 10)
	rate = rate * factor
	if female {
		rate = rate * 742 / 1000
	}
	return roundDiv(rate, 1000)
}
