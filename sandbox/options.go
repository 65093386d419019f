package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/seed"
)

// Defaults of a server.
const (
	DefaultPatients = 100 // of WithPatients
	DefaultSeed     = 1   // of WithSeed
)

// MaxPatients is the largest number that WithPatients takes.
const MaxPatients = seed.MaxPatients

// An Option changes how a server is made. Where two contradict each other the
// later one counts.
type Option func(*config) error

// config is what the options make.
type config struct {
	patients       int
	seed           uint64
	dataDir        string
	faults         []*fault.Rule
	cacheDir       string
	fullSync       bool
	load           []string
	loadAgain      bool
	keepGoing      bool
	judgeLoad      bool
	anyContent     bool
	stdin          io.Reader
	progress       func(LoadProgress)
	building       func(Building)
	buildProgress  func(BuildProgress)
	richness       seed.Richness
	exportDuration time.Duration
	behaviour      behaviour.Behaviour
	switches       [][2]string // name and value, in the order of the options
	baseURL        string
	trustedProxies []string
	adminToken     string
	tokenCommand   string
	registerToken  string
	keyReach       authz.Reach
	keyRoots       *x509.CertPool
	keyInsecure    bool
	tls            bool
	certificate    *tls.Certificate
	productionAddr string
	logger         *slog.Logger
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		patients:       DefaultPatients,
		seed:           DefaultSeed,
		exportDuration: bulk.OnePoll,
		behaviour:      behaviour.Strict(),
		keyReach:       authz.ReachLoopback,
		logger:         slog.New(slog.DiscardHandler),
	}
	var errs []error
	for _, option := range opts {
		if option == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, option(&cfg))
	}
	for _, s := range cfg.switches {
		var err error
		if cfg.behaviour, err = cfg.behaviour.With(s[0], s[1], "WithSwitch"); err != nil {
			errs = append(errs, fmt.Errorf("WithSwitch: %w", err))
		}
	}
	return cfg, errors.Join(errs...)
}

// WithPatients sets the size of the sample population, from 0, which is no
// sample data at all, to MaxPatients. A thousand patients are some 110,000
// resources. A data directory that exists keeps the population it has; see
// Server.Population.
func WithPatients(n int) Option {
	return func(c *config) error {
		if n < 0 || n > MaxPatients {
			return fmt.Errorf("WithPatients: %d is not from 0 to %d", n, MaxPatients)
		}
		c.patients = n
		return nil
	}
}

// WithSeed chooses the sample population: the same seed makes the same people,
// on every machine.
func WithSeed(n uint64) Option {
	return func(c *config) error {
		c.seed = n
		return nil
	}
}

// WithRichness sets how much is known of the people of the sample population;
// without it, that is UsualRecords.
func WithRichness(r Richness) Option {
	return func(c *config) error {
		if r != UsualRecords && r != SmallRecords && r != FullRecords {
			return fmt.Errorf("WithRichness: there is no %q; want UsualRecords, SmallRecords or FullRecords", r)
		}
		c.richness = seed.Richness(r)
		return nil
	}
}

// WithDataDir keeps data, clients and tokens in a directory from one server to
// the next. It is made where it does not exist. One server at a time can have
// it; New returns ErrDataInUse to another.
func WithDataDir(dir string) Option {
	return func(c *config) error {
		if dir == "" {
			return errors.New("WithDataDir: the name is empty")
		}
		c.dataDir = dir
		return nil
	}
}

// WithFullSync makes every write to the data directory wait for the disk. A
// write that was answered survives the end of the process without it, but not
// surely that of the machine.
func WithFullSync() Option {
	return func(c *config) error {
		c.fullSync = true
		return nil
	}
}

// WithCacheDir keeps built sample populations in a directory. By default that
// is sandfhir in the user's cache directory, else, where there is none that can
// be written to, one of the user's own in the directory for temporary files. A
// directory that can only be read serves what is in it already; what has no
// place at all is built in memory for this server alone.
func WithCacheDir(dir string) Option {
	return func(c *config) error {
		if dir == "" {
			return errors.New("WithCacheDir: the name is empty")
		}
		c.cacheDir = dir
		return nil
	}
}

// WithLoad loads files into the sandbox environment before New returns: NDJSON
// (.ndjson, .jsonl), a Bundle or a resource (.json), either of them gzipped
// (.gz), an archive of them (.tar, .tgz, .tar.gz, .zip), a directory of all
// these, or "-" for NDJSON from what WithStdin names. They are added to the
// sample population; a resource that exists gets a new version. All of it is
// loaded or, where anything is wrong, nothing, and New returns a LoadProblem.
// Several WithLoad add up to one load.
//
// A data directory remembers the files that it was loaded with, by path and
// content: New passes over those that have not changed since, so that a restart
// takes nothing back that was written after the load. WithLoadAgain does not.
func WithLoad(paths ...string) Option {
	return func(c *config) error {
		if slices.Contains(paths, "") {
			return errors.New("WithLoad: a path is empty")
		}
		c.load = append(c.load, paths...)
		return nil
	}
}

// WithLoadAgain makes WithLoad load what the data directory was loaded with
// before, too.
func WithLoadAgain() Option {
	return func(c *config) error {
		c.loadAgain = true
		return nil
	}
}

// WithKeepGoing makes WithLoad keep what is good; Loaded lists what is bad.
func WithKeepGoing() Option {
	return func(c *config) error {
		c.keepGoing = true
		return nil
	}
}

// WithLoadValidation has WithLoad judge every resource by FHIR R4 without
// profiles, as writes are judged. One that is invalid is a problem like a line
// that is no JSON. By default a load takes what is a resource of a known type
// with an id, since data of other systems often has faults that nobody can mend.
func WithLoadValidation() Option {
	return func(c *config) error {
		c.judgeLoad = true
		return nil
	}
}

// WithoutValidation stores what clients write as long as it is JSON of the type
// that the URL names, for tests that need broken resources. By default a write
// has to be valid by FHIR R4 without profiles. $validate judges either way.
func WithoutValidation() Option {
	return func(c *config) error {
		c.anyContent = true
		return nil
	}
}

// WithStdin is what the path "-" of WithLoad reads.
func WithStdin(r io.Reader) Option {
	return func(c *config) error {
		if r == nil {
			return errors.New("WithStdin: the reader is nil")
		}
		c.stdin = r
		return nil
	}
}

// WithLoadProgress has f called now and then while WithLoad loads, and once at
// the end of it, always from the goroutine that called New.
func WithLoadProgress(f func(LoadProgress)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithLoadProgress: the function is nil")
		}
		c.progress = f
		return nil
	}
}

// WithBuilding has f called when the server is about to build a sample
// population, which takes a while: as New or Start makes the sandbox's, and as
// the first request makes production's. It is not called where an earlier
// server cached the population. f may be called from any goroutine.
func WithBuilding(f func(Building)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithBuilding: the function is nil")
		}
		c.building = f
		return nil
	}
}

// WithBuildProgress has f called for every patient of a sample population that
// is being built; see WithBuilding.
func WithBuildProgress(f func(BuildProgress)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("WithBuildProgress: the function is nil")
		}
		c.buildProgress = f
		return nil
	}
}

// WithExportDuration sets how long an export runs by the server's clock; 0 is
// done at once. By default it is done at the second status request, whenever
// that is: a client that never met 202 Accepted has never been tested.
func WithExportDuration(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithExportDuration: %v is less than nothing", d)
		}
		c.exportDuration = d
		return nil
	}
}

// WithBehaviour sets what the server is strict about: "strict", the default;
// "aidbox", which follows the Aidbox tutorial; or a file of your own, whose name
// ends in .json. docs/behaviours.md lists what there is and how to write one.
// SetBehaviour changes it later.
func WithBehaviour(nameOrFile string) Option {
	return func(c *config) error {
		b, err := behaviour.Load(nameOrFile)
		if err != nil {
			return fmt.Errorf("WithBehaviour: %w", err)
		}
		c.behaviour = b
		return nil
	}
}

// WithSwitch sets a single switch of the behaviour, whichever that is: exp.max
// to 600s, aud.accept to "token issuer". Server.Behaviour returns them all.
func WithSwitch(name, value string) Option {
	return func(c *config) error {
		c.switches = append(c.switches, [2]string{name, value})
		return nil
	}
}

// WithFault makes requests fail on purpose from the start; see World.Inject. It
// can be given more than once, and is for the server's own world.
func WithFault(text string) Option {
	return func(c *config) error {
		rule, err := fault.Parse(text)
		if err != nil {
			return fmt.Errorf("WithFault: %w", err)
		}
		c.faults = append(c.faults, rule)
		return nil
	}
}

// WithBaseURL fixes what all URLs in answers begin with, such as
// https://sandbox.example.org, where a proxy in front of the server does not
// tell. It is also the server's URL from then on. By default URLs are those
// under which a request came.
func WithBaseURL(baseURL string) Option {
	return func(c *config) error {
		u, err := url.Parse(baseURL)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return fmt.Errorf("WithBaseURL: %q is not a URL such as https://sandbox.example.org", baseURL)
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(baseURL, "#"):
			return fmt.Errorf("WithBaseURL: %q has a user, a query or a fragment, which a base URL cannot have", u.Redacted())
		}
		c.baseURL = strings.TrimRight(baseURL, "/")
		return nil
	}
}

// WithProductionListener has Listen and ListenOn serve the production environment
// at a TCP address of its own, too, of the form host:port, port 0 being a free one:
// so that the two environments are two origins, as a payer's are. At that origin
// production is at the root. Production's URLs in answers are of that origin, and
// those of the sandbox of the first.
func WithProductionListener(addr string) Option {
	return func(c *config) error {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("WithProductionListener: %q is no address such as 127.0.0.1:0", addr)
		}
		c.productionAddr = addr
		return nil
	}
}

// WithTrustedProxies believes the X-Forwarded-Host, -Proto and -Prefix of
// requests from these addresses or networks (192.0.2.7, 10.0.0.0/8). By default
// nobody is believed.
func WithTrustedProxies(addresses ...string) Option {
	return func(c *config) error {
		for _, a := range addresses {
			_, notAddress := netip.ParseAddr(a)
			_, notNetwork := netip.ParsePrefix(a)
			if notAddress != nil && notNetwork != nil {
				return fmt.Errorf("WithTrustedProxies: %q is neither an IP address nor a network such as 10.0.0.0/8", a)
			}
		}
		c.trustedProxies = append(c.trustedProxies, addresses...)
		return nil
	}
}

// WithAdminToken guards the portal and the controls (/_sandbox) by a token of
// at least 16 characters, sent as Authorization: Bearer or brought by
// PortalURL. Without one they are open to whoever reaches the server, and
// Listen takes addresses of this machine only. The FHIR and OAuth endpoints are
// guarded by their own rules and do not take it.
func WithAdminToken(token string) Option {
	return func(c *config) error {
		if err := checkToken(token); err != nil {
			return fmt.Errorf("WithAdminToken: %w", err)
		}
		c.adminToken = token
		return nil
	}
}

// WithTokenCommand is the command line that the start page shows for an access
// token: one that prints it on the server's machine. By default that is
// "sandfhir token".
func WithTokenCommand(command string) Option {
	return func(c *config) error {
		c.tokenCommand = command
		return nil
	}
}

// WithRegistrationToken has dynamic registration ask for an initial access
// token (RFC 7591 section 1.2) of at least 16 characters, sent as
// Authorization: Bearer. By default registration is open. RegisterClient does
// not need it.
func WithRegistrationToken(token string) Option {
	return func(c *config) error {
		if err := checkToken(token); err != nil {
			return fmt.Errorf("WithRegistrationToken: %w", err)
		}
		c.registerToken = token
		return nil
	}
}

// minToken is the least length of a token that the caller makes, in characters.
const minToken = 16

// checkToken judges a token that is to be sent as Authorization: Bearer. Its
// errors do not quote the token: it is a secret.
func checkToken(token string) error {
	if len(token) < minToken {
		return fmt.Errorf("the token is shorter than %d characters", minToken)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the token has characters that cannot stand in a header; use printable ASCII without spaces")
	}
	return nil
}

// WithPrivateKeySets lets the server fetch key sets (jwks_uri) from private
// networks, by http too, as in a network of containers that call each other by
// name. By default it fetches from public addresses by https, and from this
// machine by either.
func WithPrivateKeySets() Option {
	return func(c *config) error {
		c.keyReach = authz.ReachPrivate
		return nil
	}
}

// WithKeySetRoots sets the certificate authorities by which servers of key sets
// (jwks_uri) are known, instead of the system's; for a server of
// httptest.NewTLSServer a pool with its Certificate.
func WithKeySetRoots(roots *x509.CertPool) Option {
	return func(c *config) error {
		if roots == nil {
			return errors.New("WithKeySetRoots: the pool is nil")
		}
		c.keyRoots = roots
		return nil
	}
}

// WithInsecureKeySets lets the server take key sets (jwks_uri) whatever
// certificate their server has: a self-signed one of a development machine, for
// instance. Whoever is between the two can then change the keys.
func WithInsecureKeySets() Option {
	return func(c *config) error {
		c.keyInsecure = true
		return nil
	}
}

// WithLogger takes what goes wrong inside the server and, at the level Debug, a
// line for each exchange. By default it is silent; Start logs errors to the
// test.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: the logger is nil")
		}
		c.logger = logger
		return nil
	}
}
