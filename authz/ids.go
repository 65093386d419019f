package authz

// A RuleID names a rule of the table that Rules returns: SB-KEY-01.
type RuleID string

// A FindingID names a finding of the list that Findings returns: A12. "" is
// none.
type FindingID string

// Ids of rules that other packages speak of.
const (
	RuleIDAssertionType RuleID = "SB-ERR-06"
	RuleIDAlgorithm     RuleID = "SB-JWT-03"
	RuleIDIssuer        RuleID = "SB-JWT-10"
	RuleIDFormClient    RuleID = "SB-TOK-07"
	RuleIDAudience      RuleID = "SB-JWT-12"
	RuleIDReplay        RuleID = "SB-JWT-19"
	RuleIDKeySet        RuleID = "SB-KEY-08"
	RuleIDKeyMatch      RuleID = "SB-KEY-01"
	RuleIDKeyUsable     RuleID = "SB-REG-08"
	RuleIDSignature     RuleID = "SB-JWT-04"
	RuleIDClientGrant   RuleID = "SB-ERR-20"
	RuleIDScopeGranted  RuleID = "SB-NEG-01"
	RuleIDInitialToken  RuleID = "SB-DCR-09"
	RuleIDKeySetValue   RuleID = "SB-REG-05"
	RuleIDKeySetURL     RuleID = "SB-REG-10"
)

// Ids of findings that other packages speak of.
const (
	FindingIDUnknownClient    FindingID = "A02"
	FindingIDUnknownKeyID     FindingID = "A12"
	FindingIDKeyEncoding      FindingID = "A18"
	FindingIDPrivateMembers   FindingID = "A20"
	FindingIDCertificate      FindingID = "A23"
	FindingIDIssuerNoClientID FindingID = "C02"
	FindingIDNoKeySet         FindingID = "J03"
	FindingIDKeySetURL        FindingID = "J08"
	FindingIDTokenExpired     FindingID = "T03"
)
