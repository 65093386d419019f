package authz

// Ids of rules that other packages speak of.
const (
	IDAssertionType = "SB-ERR-06"
	IDAlgorithm     = "SB-JWT-03"
	IDIssuer        = "SB-JWT-10"
	IDFormClient    = "SB-TOK-07"
	IDAudience      = "SB-JWT-12"
	IDReplay        = "SB-JWT-19"
	IDKeySet        = "SB-KEY-08"
	IDKeyMatch      = "SB-KEY-01"
	IDKeyUsable     = "SB-REG-08"
	IDSignature     = "SB-JWT-04"
	IDClientGrant   = "SB-ERR-20"
	IDScopeGranted  = "SB-NEG-01"
	IDInitialToken  = "SB-DCR-09"
	IDKeySetValue   = "SB-REG-05"
	IDKeySetURL     = "SB-REG-10"
)

// Ids of findings that other packages speak of.
const (
	IDUnknownClient    = "A02"
	IDUnknownKeyID     = "A12"
	IDKeyEncoding      = "A18"
	IDPrivateMembers   = "A20"
	IDIssuerNoClientID = "C02"
	IDNoKeySet         = "J03"
	IDTokenExpired     = "T03"
)
