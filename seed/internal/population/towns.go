package population

// A town is made up; its state is real and its ZIP code and area code fit the state.
type town struct {
	name, state, zip, area string
	country                string // "": the United States
}

// Towns where organizations have their seat.
var (
	duneValley     = town{"Dune Valley", "CO", "81199", "719", ""}
	eastDuneHollow = town{"East Dune Hollow", "NY", "12998", "518", ""}
	barrierBeach   = town{"Barrier Beach", "NJ", "08099", "609", ""}
	coquinaKey     = town{"Coquina Key", "FL", "33999", "239", ""}
	sandyMission   = town{"Sandy Mission", "CA", "93499", "805", ""}
	soundGravel    = town{"Sound Gravel", "WA", "98399", "360", ""}
)

// sunahama is the one place abroad. Japan has no prefecture of this name and no such postal code.
var sunahama = town{"Sunahama", "Kaigan", "000-0000", "", "JP"}

// land returns the country's code (ISO 3166).
func (t *town) land() string {
	if t.country != "" {
		return t.country
	}
	return "US"
}

// towns are where patients live. Puerto Rico, the District of Columbia and Guam are there to try
// what a client takes for a state.
var towns = []town{
	{"Sandhaven", "ME", "04399", "207", ""},
	{"Gravel Notch", "NH", "03299", "603", ""},
	{"Maple Shoal", "VT", "05099", "802", ""},
	{"West Pebbleton", "MA", "01399", "413", ""},
	{"Cobble Point", "RI", "02899", "401", ""},
	{"Siltford", "CT", "06099", "860", ""},
	{"Dune Hollow", "NY", "12999", "518", ""},
	eastDuneHollow,
	barrierBeach,
	{"Slate Furnace", "PA", "16999", "814", ""},
	{"Loess Landing", "DE", "19999", "302", ""},
	{"Oyster Flat", "MD", "21699", "410", ""},
	{"Washington", "DC", "20099", "202", ""},
	{"Marl Court House", "VA", "24599", "434", ""},
	{"Shale Gap", "WV", "26299", "304", ""},
	{"Longleaf Spit", "NC", "28599", "252", ""},
	{"Palmetto Bar", "SC", "29999", "843", ""},
	{"Red Clay", "GA", "31099", "478", ""},
	coquinaKey,
	{"New Coquina", "FL", "32999", "321", ""},
	{"Chalk Bluff", "AL", "36799", "334", ""},
	{"Delta Bend", "MS", "38699", "662", ""},
	{"Bayou Sable", "LA", "70399", "985", ""},
	{"Ozark Quarry", "AR", "72699", "870", ""},
	{"Stone Fiddle", "TN", "38599", "931", ""},
	{"Geode Springs", "KY", "42799", "270", ""},
	{"Glacier Till", "OH", "43999", "740", ""},
	{"Sand Ridge Center", "IN", "46399", "219", ""},
	{"Moraine Park", "IL", "61299", "309", ""},
	{"North Moraine", "IL", "61298", "309", ""},
	{"Singing Sands", "MI", "49699", "231", ""},
	{"Driftless", "WI", "54699", "608", ""},
	{"Agate Harbor", "MN", "55699", "218", ""},
	{"Loam City", "IA", "50199", "515", ""},
	{"Karst Hill", "MO", "65599", "573", ""},
	{"Prairie Sandstone", "KS", "67699", "785", ""},
	{"Sandhills Junction", "NE", "69199", "308", ""},
	{"Badland Wells", "SD", "57799", "605", ""},
	{"Butte Prairie", "ND", "58699", "701", ""},
	{"Red Bed", "OK", "73599", "580", ""},
	{"Caliche Flats", "TX", "79399", "806", ""},
	{"Arroyo Arenoso", "TX", "78599", "956", ""},
	{"Silver Gypsum", "NM", "88399", "575", ""},
	{"Painted Wash", "AZ", "86099", "928", ""},
	duneValley,
	{"Hoodoo", "UT", "84799", "435", ""},
	{"Playa Seca", "NV", "89499", "775", ""},
	{"Basalt Butte", "ID", "83299", "208", ""},
	{"Pumice", "MT", "59799", "406", ""},
	{"Wind Scoop", "WY", "82999", "307", ""},
	{"Spindrift", "OR", "97499", "541", ""},
	soundGravel,
	sandyMission,
	{"Valle de Arena", "CA", "92299", "760", ""},
	{"Silt Slough", "CA", "95699", "530", ""},
	{"Volcano Sands", "HI", "96799", "808", ""},
	{"Gravel Bar", "AK", "99799", "907", ""},
	{"Playa Larga", "PR", "00799", "787", ""},
	{"Tumon Arena", "GU", "96999", "671", ""},
}

// streets are combined with a number.
var streets = []string{
	"Beachgrass Lane", "Quartz Street", "Sandbar Road", "Old Quarry Road", "Pebble Avenue",
	"Driftwood Drive", "Feldspar Court", "Sea Oats Way", "Mica Street", "Hourglass Place",
	"Tidepool Terrace", "Granite Avenue", "Saltmarsh Road", "Lighthouse Street", "Cobblestone Alley",
	"Sandpiper Circle", "Gypsum Boulevard", "Barchan Loop", "Estuary Drive", "Castle Lane",
}
