package behaviour

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
)

// exportSwitches are those of Bulk Data exports, in the order of an export's
// way: kick-off, status, manifest, files.
func exportSwitches() []Switch {
	return []Switch{
		choice("export.version", "the version of the guide that $export follows; 2.0.0 has the additions of 3.0.0 that do not conflict with it", ids("BD-KO-04", "BD-PA-22", "BD-RJ-18", "BD-MF-15", "M01"),
			func(b *bulk.Behaviour) *bulk.Version { return &b.Version },
			map[bulk.Version]Effect{bulk.Version1: Stricter, bulk.Version3: Different, bulk.Version4: Different},
			bulk.Version1, bulk.Version2, bulk.Version3, bulk.Version4),
		flag("export.strict_prefer", "whether a kick-off has to have Prefer: respond-async", ids("BD-HD-02", "BD-RJ-03", "B01"), Milder,
			func(b *bulk.Behaviour) *bool { return &b.StrictPrefer }),
		flag("export.strict_accept", "whether a kick-off has to have Accept: application/fhir+json", ids("BD-HD-01", "BD-RJ-04", "B02"), Milder,
			func(b *bulk.Behaviour) *bool { return &b.StrictAccept }),
		unsupported(),
		flag("export.outputformat_strict", "whether _outputFormat takes application/fhir+ndjson alone, without ndjson and application/ndjson", ids("BD-PA-01", "B06"), Stricter,
			func(b *bulk.Behaviour) *bool { return &b.StrictFormat }),
		flag("export.gzip", "whether _outputFormat=application/fhir+ndjson+gzip is offered, for files that are gzip themselves", ids("BD-PA-02", "M13"), Milder,
			func(b *bulk.Behaviour) *bool { return &b.GzipFormat }),
		flag("export.separate_status", "whether Prefer: separate-export-status is honoured", ids("BD-HD-06", "BD-ST-10"), Stricter,
			func(b *bulk.Behaviour) *bool { return &b.SeparateStatus }),
		flag("export.group_scope", "whether the export of a group needs read of Group, besides read of what is exported", ids("BD-SEC-09", "S11"), Milder,
			func(b *bulk.Behaviour) *bool { return &b.GroupScope }),
		either("export.group_since", "what a group export with _since has of patients who joined the group after it: all their data, or what changed", ids("BD-GR-02", "BD-GR-03"), "full", "delta", Different,
			func(b *bulk.Behaviour) *bool { return &b.OnlyChanges }),
		count("export.max_concurrent", "how many exports of a client may run at once before a kick-off gets 429 with Retry-After; 0 is any number", ids("BD-SEC-13", "BD-KR-04", "BD-RJ-17", "B09"), Stricter,
			func(b *bulk.Behaviour) *int { return &b.MaxConcurrent }),
		flag("export.dump", "whether GET /{type}/$dump, beside the FHIR base, streams the resources of a type", ids("BD-KO-01"), Milder,
			func(b *bulk.Behaviour) *bool { return &b.Dump }),
		either("poll.early", "what happens to a status request before Retry-After is over: it is counted, or answered 429", ids("BD-ST-05", "P01"), "count", "refuse", Stricter,
			func(b *bulk.Behaviour) *bool { return &b.RefuseEarlyPolls }),
		count("poll.ban_after", "after how many status requests that came too early the job ends; 0 is never", ids("BD-ST-05", "P01"), Stricter,
			func(b *bulk.Behaviour) *int { return &b.MaxEarlyPolls }),
		duration("job.ttl", "how long a job and its files stay after the kick-off, by the workspace's clock", ids("BD-ST-08", "BD-ST-13", "P08"), time.Second, false,
			func(b *bulk.Behaviour) *time.Duration { return &b.JobLifetime }),
		count("manifest.page", "how many files a manifest has where the client sent allowPartialManifests; 0 is all of them", ids("BD-PA-28", "BD-MF-10", "M19"), Different,
			func(b *bulk.Behaviour) *int { return &b.PageSize }),
		not(flag("files.token", "whether files need the access token (requiresAccessToken); if not, their URLs are signed and expire", ids("BD-MF-03", "BD-FI-06", "BD-FI-07", "M04", "M05"), Different,
			func(b *bulk.Behaviour) *bool { return &b.OpenFiles })),
		flag("files.redirect", "whether a request for a file is sent on, by 307, to a signed URL at another origin: localhost for 127.0.0.1, and the reverse", ids("BD-MF-16", "M07"), Different,
			func(b *bulk.Behaviour) *bool { return &b.RedirectFiles }),
		duration("files.ttl", "how long a file's URL works that needs no token, by the workspace's clock; a status request gives fresh ones", ids("BD-FI-07", "BD-FI-11", "M08"), time.Second, false,
			func(b *bulk.Behaviour) *time.Duration { return &b.FileLifetime }),
		count("files.max_rows", "how many lines a file of an export has at most; 0 is any number", ids("BD-FI-13", "M15"), Different,
			func(b *bulk.Behaviour) *int { return &b.MaxRows }),
		count("files.max_bytes", "how many bytes a file of an export has at most, one line apart; 0 is any number", ids("BD-FI-13", "M15"), Different,
			func(b *bulk.Behaviour) *int { return &b.MaxBytes }),
	}
}

// maxCount is more than any file has bytes.
const maxCount = 1 << 40

// count makes a number of which 0 means no bound.
func count(name, meaning string, ids []string, effect Effect, at func(*bulk.Behaviour) *int) Switch {
	return Switch{Name: name, Kind: Number, Meaning: meaning, IDs: ids,
		get: func(b switches) string { return strconv.Itoa(*at(&b.export)) },
		set: func(b *switches, text string) error {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || n > maxCount {
				return fmt.Errorf("%q is not a whole number from 0 to %d", text, maxCount)
			}
			*at(&b.export) = n
			return nil
		},
		effect: func(string, string) Effect { return effect },
	}
}

// unsupported is a list that may be empty.
func unsupported() Switch {
	const nothing = "none"
	names := bulk.ParameterNames()
	return Switch{Name: "export.unsupported", Kind: List, Values: append([]string{nothing}, names...), IDs: ids("BD-HD-05", "BD-RJ-14", "B05"),
		Meaning: "parameters of $export that are refused as not supported",
		get: func(b switches) string {
			if len(b.export.Unsupported) == 0 {
				return nothing
			}
			return join(b.export.Unsupported)
		},
		set: func(b *switches, text string) error {
			if text == nothing {
				b.export.Unsupported = nil
				return nil
			}
			items, err := split[string](text, func(item string) error { return oneOf(item, names) })
			if err != nil {
				return err
			}
			slices.SortFunc(items, func(a, b string) int { return slices.Index(names, a) - slices.Index(names, b) })
			b.export.Unsupported = items
			return nil
		},
		effect: func(string, string) Effect { return Stricter },
	}
}
