package cli

import (
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/fault"
)

// Settings are what a server is started with.
type Settings struct {
	Addr              string         // host:port to listen on
	Data              string         // directory that keeps the data; "" keeps them in memory
	FullSync          bool           // every write to Data waits for the disk
	Patients          int            // size of the sample population
	Seed              uint64         // of the sample population
	Richness          string         // of the sample population: small, usual or full
	Load              []string       // files, directories and archives to load at the start
	KeepGoing         bool           // a load passes over what is bad
	Behaviour         string         // what the server is strict about: a name, or a file that ends in .json
	Validate          bool           // a load takes only what FHIR R4 allows
	ValidateWrites    bool           // so do clients' writes
	TLS               bool           // HTTPS with an authority of the server's own
	TLSCert, TLSKey   string         // files of a certificate and its key, to be given together
	ProductionAddr    string         // host:port at which production is an origin of its own; "" has it below /production
	BaseURL           string         // what all URLs begin with, without a final slash; "" takes the request's
	TrustedProxies    []string       // addresses and networks whose X-Forwarded-* headers are believed
	PrivateKeySets    bool           // key sets are fetched from private networks too
	InsecureKeySets   bool           // whatever certificate their server has
	LogLevel          slog.Level     // least level that is logged
	Faults            []string       // that requests meet from the start
	ExportDuration    *time.Duration // of an export by the workspace clock; nil is done at the second status request
	AdminToken        string         // opens the portal, admin and control surfaces; "" has one generated
	RegistrationToken string         // that registration asks for; "" asks for none
	CacheDir          string         // keeps built populations; "" is the user's cache directory
	Config            string         // the file that settings were read from, "" for none
}

// The places that a setting can be given in.
type places uint8

const (
	byFlag places = 1 << iota
	byEnv
	byFile

	anywhere = byFlag | byEnv | byFile
)

// A setting is one row of the table that drives flags, environment, file, defaults, help and
// messages.
type setting struct {
	name   string // of the flag and in the file
	arg    string // what help calls the value; "" for a switch
	help   string
	def    string // the default, as it would be given; "" for none
	places places
	list   bool                  // can be given more than once
	commas bool                  // the items of a list are separated by commas
	split  func(string) []string // divides the variable of another list; nil is as paths are
	secret bool                  // is not shown
	loads  bool                  // matters to the load command too
	set    func(*Settings, string) error
}

// env is the name of the setting's environment variable.
func (s *setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

const envPrefix = "SANDFHIR_"

// settingsTable returns the table.
func settingsTable() []setting {
	return []setting{
		{name: "addr", arg: "HOST:PORT", places: anywhere, def: "127.0.0.1:8080",
			help: "address to listen on",
			set:  func(s *Settings, v string) error { return parseAddr(&s.Addr, v) }},
		{name: "tls", places: anywhere, def: "false",
			help: "speak HTTPS, with a certificate authority of the server's own; /_sandbox/ca.pem is what to trust",
			set:  func(s *Settings, v string) error { return parseBool(&s.TLS, v) }},
		{name: "tls-cert", arg: "FILE", places: anywhere,
			help: "speak HTTPS with this certificate, PEM, and those of its issuers",
			set:  func(s *Settings, v string) error { return parseText(&s.TLSCert, v) }},
		{name: "tls-key", arg: "FILE", places: anywhere,
			help: "private key of --tls-cert, PEM",
			set:  func(s *Settings, v string) error { return parseText(&s.TLSKey, v) }},
		{name: "production-addr", arg: "HOST:PORT", places: anywhere,
			help: "address at which the production environment is an origin of its own; by default it is below /production",
			set:  func(s *Settings, v string) error { return parseAddr(&s.ProductionAddr, v) }},
		{name: "data", arg: "DIR", places: anywhere, loads: true,
			help: "directory that keeps the data; without it they are gone at the end",
			set:  func(s *Settings, v string) error { return parseText(&s.Data, v) }},
		{name: "full-sync", places: anywhere, loads: true, def: "false",
			help: "have every write to the data directory wait for the disk",
			set:  func(s *Settings, v string) error { return parseBool(&s.FullSync, v) }},
		{name: "patients", arg: "N", places: anywhere, loads: true, def: "100",
			help: "patients of the sample population; 0 is no sample data at all",
			set:  func(s *Settings, v string) error { return parseCount(&s.Patients, v) }},
		{name: "seed", arg: "N", places: anywhere, loads: true, def: "1",
			help: "seed of the sample population: the same seed makes the same people",
			set:  func(s *Settings, v string) error { return parseSeed(&s.Seed, v) }},
		{name: "richness", arg: "NAME", places: anywhere, loads: true, def: "usual",
			help: "how much is known of the sample population: small, usual or full",
			set: func(s *Settings, v string) error {
				_, err := parseRichness(v)
				s.Richness = v
				return err
			}},
		{name: "load", arg: "PATH", places: anywhere, list: true,
			help: "NDJSON, JSON, directory or archive to load at the start; can be repeated, in " +
				envPrefix + "LOAD separated by " + string(os.PathListSeparator),
			set: func(s *Settings, v string) error { return parseItem(&s.Load, v) }},
		{name: "keep-going", places: anywhere, loads: true, def: "false",
			help: "load what is good and list what is bad, instead of loading all or nothing",
			set:  func(s *Settings, v string) error { return parseBool(&s.KeepGoing, v) }},
		{name: "behaviour", arg: "NAME|FILE", places: anywhere, def: "strict",
			help: "what the server is strict about: strict, aidbox, or a file of your own that ends in .json",
			set:  func(s *Settings, v string) error { return parseBehaviour(&s.Behaviour, v) }},
		{name: "validate", places: anywhere, loads: true, def: "false",
			help: "judge what is loaded by FHIR R4: what is invalid is bad",
			set:  func(s *Settings, v string) error { return parseBool(&s.Validate, v) }},
		{name: "validate-writes", places: anywhere, def: "true",
			help: "judge what clients write by FHIR R4; false stores any JSON of the right type",
			set:  func(s *Settings, v string) error { return parseBool(&s.ValidateWrites, v) }},
		{name: "base-url", arg: "URL", places: anywhere,
			help: "what all URLs in answers begin with; by default that of the request",
			set:  func(s *Settings, v string) error { return parseBaseURL(&s.BaseURL, v) }},
		{name: "trusted-proxies", arg: "LIST", places: anywhere, list: true, commas: true,
			help: "addresses and networks, such as 127.0.0.1,10.0.0.0/8, whose X-Forwarded-Host, -Proto and -Prefix are believed",
			set:  func(s *Settings, v string) error { return parseNetwork(&s.TrustedProxies, v) }},
		{name: "private-jwks-uri", places: anywhere, def: "false",
			help: "fetch key sets (jwks_uri) from private networks too, by http as well",
			set:  func(s *Settings, v string) error { return parseBool(&s.PrivateKeySets, v) }},
		{name: "insecure-jwks-uri", places: anywhere, def: "false",
			help: "fetch key sets (jwks_uri) whatever certificate their server has: a self-signed one, for instance",
			set:  func(s *Settings, v string) error { return parseBool(&s.InsecureKeySets, v) }},
		{name: "log-level", arg: "LEVEL", places: anywhere, loads: true, def: "info",
			help: "debug, info, warn or error",
			set:  func(s *Settings, v string) error { return parseLevel(&s.LogLevel, v) }},
		{name: "export-duration", arg: "DURATION", places: anywhere,
			help: "how long an export takes, such as 0s or 2m; by default until the second status request",
			set:  func(s *Settings, v string) error { return parseDuration(&s.ExportDuration, v) }},
		{name: "fault", arg: "FAULT", places: anywhere, list: true, split: fault.Split,
			help: "make requests fail on purpose, such as poll.5xx#times=2; can be repeated, in " +
				envPrefix + "FAULT separated by semicolons",
			set: func(s *Settings, v string) error { s.Faults = append(s.Faults, v); return nil }},
		{name: "admin-token", arg: "TOKEN", places: byEnv, secret: true,
			help: "opens the portal, admin and control pages where the server listens on more than this machine",
			set:  func(s *Settings, v string) error { return parseToken(&s.AdminToken, v) }},
		{name: "registration-token", arg: "TOKEN", places: byEnv, secret: true,
			help: "initial access token that has to come with a dynamic client registration",
			set:  func(s *Settings, v string) error { return parseToken(&s.RegistrationToken, v) }},
		{name: "cache-dir", arg: "DIR", places: anywhere, loads: true,
			help: "directory that keeps built populations; by default the user's cache directory",
			set:  func(s *Settings, v string) error { return parseText(&s.CacheDir, v) }},
		{name: "config", arg: "FILE", places: byFlag | byEnv, loads: true,
			help: "TOML file with settings",
			set:  func(s *Settings, v string) error { return parseText(&s.Config, v) }},
	}
}
