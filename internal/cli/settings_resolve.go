package cli

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A rawFlag holds what was given for a flag, unparsed: flags, environment and file then go
// through the same parsers and get the same messages.
type rawFlag struct {
	setting *setting
	values  []string
}

// String returns the default, which help shows.
func (f *rawFlag) String() string { return f.setting.def }

// Type returns what help calls the value; pflag calls that of a switch "bool".
func (f *rawFlag) Type() string {
	if f.setting.arg == "" {
		return "bool"
	}
	return f.setting.arg
}

// Set keeps v for later.
func (f *rawFlag) Set(v string) error {
	f.values = append(f.values, v)
	return nil
}

// addFlags defines the flags of those settings that can be given by flag.
func addFlags(flags *pflag.FlagSet, table []setting) {
	for i := range table {
		s := &table[i]
		if s.places&byFlag == 0 {
			continue
		}
		f := flags.VarPF(&rawFlag{setting: s}, s.name, "", s.help)
		if s.arg == "" {
			f.NoOptDefVal = "true"
		}
	}
}

// An origin is the text of a setting's value and where it came from.
type origin struct {
	from   string
	values []string
}

// A resolved is settings and where each of them came from, by name.
type resolved struct {
	Settings
	origins map[string]origin
}

// resolve finds the value of every setting of the table: flag, then environment, then file,
// then default.
func (p *program) resolve(table []setting, flags *pflag.FlagSet) (resolved, error) {
	r := resolved{origins: map[string]origin{}}
	file := configFile{}
	// The file that config names is needed first.
	slices.SortStableFunc(table, func(a, b setting) int {
		if a.name == "config" {
			return -1
		}
		if b.name == "config" {
			return 1
		}
		return 0
	})
	for i := range table {
		s := &table[i]
		o := p.origin(s, flags, file)
		r.origins[s.name] = o
		for _, v := range o.values {
			if err := s.set(&r.Settings, v); err != nil {
				return r, usagef("%s: %v", o.from, err)
			}
		}
		if s.name == "config" && r.Config != "" {
			var err error
			if file, err = readConfig(r.Config, settingsTable()); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

const fromDefault = "default"

// origin finds the place that counts.
func (p *program) origin(s *setting, flags *pflag.FlagSet, file configFile) origin {
	if f := flags.Lookup(s.name); f != nil && f.Changed {
		if raw, ok := f.Value.(*rawFlag); ok {
			return origin{"--" + s.name, s.items(raw.values)}
		}
	}
	if v := p.getenv(s.env()); v != "" && s.places&byEnv != 0 {
		if s.list && !s.commas {
			split := s.split
			if split == nil {
				split = filepath.SplitList
			}
			items := split(v)
			return origin{s.env(), slices.DeleteFunc(items, func(item string) bool { return item == "" })}
		}
		return origin{s.env(), s.items([]string{v})}
	}
	if values, ok := file.values[s.name]; ok {
		return origin{file.path + ": " + s.name, s.items(values)}
	}
	if s.def == "" {
		return origin{from: fromDefault}
	}
	return origin{fromDefault, []string{s.def}}
}

// items are the values that count of those that were given: all of a list, else the last one.
func (s *setting) items(given []string) []string {
	switch {
	case s.commas:
		items := strings.Split(strings.Join(given, ","), ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		return slices.DeleteFunc(items, func(item string) bool { return item == "" })
	case s.list || len(given) == 0:
		return given
	}
	return given[len(given)-1:]
}

// checkEnvironment refuses SANDFHIR_ variables that mean nothing, whatever the command: most are
// misspelt.
func (p *program) checkEnvironment(table []setting) error {
	var names []string
	for i := range table {
		if table[i].places&byEnv != 0 {
			names = append(names, strings.TrimPrefix(table[i].env(), envPrefix))
		}
	}
	for _, e := range p.environ {
		name, value, _ := strings.Cut(e, "=")
		name, ours := strings.CutPrefix(name, envPrefix)
		if ours && !slices.Contains(names, name) && !fromKubernetes(name, value) {
			return usagef("%s: there is no such setting%s", envPrefix+name, didYouMean(name, names, envPrefix+"%s", p.name))
		}
	}
	return nil
}

// serviceVariable is the form of the variables, less their prefix, that Kubernetes sets in every
// pod of a namespace where a Service is called sandfhir.
const serviceVariable = `^(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`

func fromKubernetes(name, value string) bool {
	if name == "PORT" {
		return strings.Contains(value, "://")
	}
	ok, err := regexp.MatchString(serviceVariable, name)
	return ok && err == nil
}
