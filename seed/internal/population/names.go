package population

import "github.com/brianvoe/gofakeit/v6"

// A stock is the names of one community, the most usual first.
type stock struct {
	families, women, men []string
	// mixed: six of ten family names come from gofakeit's list, which is long and of one community
	// only, the general one.
	mixed bool
}

// family draws a family name, usual ones more often where usual is set.
func (st stock) family(s *stream, usual bool) string {
	switch {
	case st.mixed && s.chance(600):
		return gofakeit.NewCustom(s).LastName()
	case usual:
		return st.families[s.early(len(st.families))]
	}
	return st.families[s.below(len(st.families))]
}

// Names with accents, apostrophes, hyphens and blanks are there on purpose: they show what a
// client makes of UTF-8 and of names that are not one word.
var (
	generalFamilies = []string{
		"Smith", "Johnson", "Miller", "Brown", "Davis", "Wilson", "Anderson", "Taylor", "Moore", "Jackson",
		"Harris", "Clark", "Lewis", "Robinson", "Walker", "Young", "Allen", "Wright", "Scott", "Hill",
		"Green", "Adams", "Baker", "Nelson", "Carter", "Mitchell", "Roberts", "Turner", "Phillips", "Parker",
		"Evans", "Edwards", "Collins", "Stewart", "Morris", "Murphy", "Cook", "Rogers", "Morgan", "Cooper",
		"Kowalski", "Schneider", "O'Brien", "Rossi", "Larsen", "MacLeod", "Lindqvist", "Papadopoulos", "Van der Berg", "Müller",
		"Novák", "D'Angelo", "Fitzgerald-Hughes", "St. Clair", "Björnsson", "Okonkwo", "Abdi", "Haddad", "Featherstonehaugh", "Wolański",
	}
	generalElders = stock{generalFamilies,
		[]string{"Mary", "Barbara", "Dorothy", "Betty", "Margaret", "Helen", "Ruth", "Shirley", "Virginia", "Joan", "Doris", "Carol", "Judith", "Marie", "Gloria", "Rose", "Eleanor", "Norma"},
		[]string{"James", "Robert", "John", "William", "Richard", "Charles", "George", "Thomas", "Donald", "Joseph", "Edward", "Paul", "Kenneth", "Walter", "Harold", "Raymond", "Eugene", "Stanley"}, true}
	generalAdults = stock{generalFamilies,
		[]string{"Jennifer", "Lisa", "Michelle", "Kimberly", "Amy", "Jessica", "Melissa", "Angela", "Stephanie", "Heather", "Nicole", "Elizabeth", "Rebecca", "Laura", "Christina", "Rachel", "Tamika", "Zoë"},
		[]string{"Michael", "David", "Christopher", "Matthew", "Jason", "Brian", "Daniel", "Kevin", "Eric", "Steven", "Andrew", "Joshua", "Timothy", "Ryan", "Brandon", "Marcus", "Darnell", "André"}, true}
	generalYoung = stock{generalFamilies,
		[]string{"Emma", "Olivia", "Ava", "Sophia", "Isabella", "Charlotte", "Amelia", "Mia", "Harper", "Evelyn", "Abigail", "Ella", "Aaliyah", "Chloë", "Nora", "Hazel", "Imani", "Renée"},
		[]string{"Liam", "Noah", "Oliver", "Elijah", "Lucas", "Mason", "Logan", "Ethan", "Aiden", "Jackson", "Levi", "Henry", "Jayden", "Caleb", "Isaiah", "Malik", "Theo", "Jean-Luc"}, true}
	hispanic = stock{
		[]string{"García", "Rodríguez", "Martínez", "Hernández", "López", "González", "Pérez", "Sánchez", "Ramírez", "Torres", "Flores", "Rivera", "Gómez", "Díaz", "Reyes", "Cruz", "Morales", "Ortiz", "Gutiérrez", "Chávez", "Núñez", "de la Cruz", "García-López", "Ibáñez"},
		[]string{"María", "Guadalupe", "Ana", "Sofía", "Isabel", "Carmen", "Lucía", "Valentina", "Rosa", "Gabriela", "Daniela", "Elena", "Ximena", "Marisol", "Inés"},
		[]string{"José", "Luis", "Carlos", "Juan", "Miguel", "Jesús", "Diego", "Santiago", "Mateo", "Alejandro", "Ángel", "Rafael", "Fernando", "Andrés", "Joaquín"}, false}
	chinese = stock{
		[]string{"Wang", "Li", "Zhang", "Chen", "Liu", "Yang", "Huang", "Wu", "Lin", "Ng", "Ouyang", "Lü"},
		[]string{"Mei", "Grace", "Xiuying", "Lily", "Jing", "Hui", "Amy", "Yan", "Fang", "Vivian"},
		[]string{"Wei", "Kevin", "Jun", "Ming", "Hao", "Jason", "Tao", "Lei", "Feng", "Albert"}, false}
	vietnamese = stock{
		[]string{"Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng", "Bùi", "Đỗ", "Ngô"},
		[]string{"Thị Lan", "Linh", "Hương", "Mai", "Ngọc", "Thảo", "Kim", "Anh"},
		[]string{"Văn Minh", "Tuấn", "Hùng", "Đức", "Long", "Quang", "Bảo", "Khánh"}, false}
	indian = stock{
		[]string{"Patel", "Singh", "Shah", "Sharma", "Kumar", "Reddy", "Gupta", "Rao", "Iyer", "Venkataraghavan"},
		[]string{"Priya", "Anjali", "Deepa", "Lakshmi", "Kavita", "Meera", "Sunita", "Anaya", "Divya"},
		[]string{"Raj", "Arjun", "Sanjay", "Vikram", "Amit", "Rohan", "Suresh", "Krishna", "Anil"}, false}
	filipino = stock{
		[]string{"Santos", "Reyes", "Bautista", "Ocampo", "Mendoza", "Dela Cruz", "Villanueva", "Pangilinan", "Macaraeg"},
		[]string{"Maria Cristina", "Jasmine", "Angelica", "Rowena", "Liezel", "Corazon", "Imelda"},
		[]string{"Mark Anthony", "Rodel", "Jericho", "Ferdinand", "Rommel", "Paolo", "Benigno"}, false}
	korean = stock{
		[]string{"Kim", "Lee", "Park", "Choi", "Jung", "Kang", "Cho", "Yoon", "Namgung"},
		[]string{"Ji-woo", "Soo-jin", "Min-ji", "Hye-jin", "Eun-ji", "Susan"},
		[]string{"Min-jun", "Seung-ho", "Ji-hoon", "Sung-min", "Young-ho", "Daniel"}, false}
	pacific = stock{
		[]string{"Kealoha", "Kahananui", "Tuiasosopo", "Taitano", "Fonoti", "Kaʻaihue"},
		[]string{"Leilani", "Kalea", "Sina", "Moana", "Malia"},
		[]string{"Keoni", "Kai", "Sione", "Makoa", "Tavita"}, false}
	nativeAmerican = stock{
		[]string{"Begay", "Yazzie", "Whitehorse", "Tsosie", "Two Rivers", "Deschenie", "Little Sky", "Benally"},
		[]string{"Aiyana", "Winona", "Nizhoni", "Kaya", "Sarah", "Dena"},
		[]string{"Takoda", "Ahiga", "Chayton", "Nodin", "Joseph", "Wayne"}, false}
)

// A community is a share of the people: what they say of their race and ethnicity, how they are
// named and which languages other than English are spoken among them.
type community struct {
	permille  int // the shares of the US Census of 2020, rounded
	race      []coding
	hispanic  bool
	text      string
	young     stock // born since 1995
	adults    stock // born since 1955
	elders    stock
	languages []language
}

// A language is spoken by so many of a thousand members of a community instead of English.
type language struct {
	permille      int
	code, display string
}

var english = language{code: "en", display: "English"}

var (
	white    = coding{System: sysOMB, Code: "2106-3", Display: "White"}
	black    = coding{System: sysOMB, Code: "2054-5", Display: "Black or African American"}
	asian    = coding{System: sysOMB, Code: "2028-9", Display: "Asian"}
	native   = coding{System: sysOMB, Code: "1002-5", Display: "American Indian or Alaska Native"}
	islander = coding{System: sysOMB, Code: "2076-8", Display: "Native Hawaiian or Other Pacific Islander"}
)

var communities = []community{
	{580, []coding{white}, false, "White", generalYoung, generalAdults, generalElders, nil},
	{170, []coding{white}, true, "White", hispanic, hispanic, hispanic, []language{{600, "es", "Spanish"}}},
	{20, []coding{black}, true, "Black or African American", hispanic, hispanic, hispanic, []language{{400, "es", "Spanish"}}},
	{121, []coding{black}, false, "Black or African American", generalYoung, generalAdults, generalElders, []language{{20, "fr", "French"}}},
	{15, []coding{asian}, false, "Asian", chinese, chinese, chinese, []language{{550, "zh", "Chinese"}}},
	{12, []coding{asian}, false, "Asian", vietnamese, vietnamese, vietnamese, []language{{450, "vi", "Vietnamese"}}},
	{15, []coding{asian}, false, "Asian", indian, indian, indian, []language{{200, "hi", "Hindi"}}},
	{11, []coding{asian}, false, "Asian", filipino, filipino, filipino, []language{{300, "tl", "Tagalog"}}},
	{7, []coding{asian}, false, "Asian", korean, korean, korean, []language{{450, "ko", "Korean"}}},
	{40, []coding{white, asian}, false, "Two or more races", generalYoung, generalAdults, generalElders, nil},
	{7, []coding{native}, false, "American Indian or Alaska Native", nativeAmerican, nativeAmerican, nativeAmerican, nil},
	{2, []coding{islander}, false, "Native Hawaiian or Other Pacific Islander", pacific, pacific, pacific, nil},
}
