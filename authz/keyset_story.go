package authz

import "time"

// keyStory is how a published key set came here; nil for a set by value.
type keyStory struct {
	uri string
	*PublishedKeys
	stale time.Duration // how long the behaviour keeps the copy, whatever its headers say; 0 goes by them
}

// isOlder reports whether the set was read before the request came: a key
// published since is not in it.
func (k *keyStory) isOlder(asked time.Time) bool { return k != nil && k.FetchedAt.Before(asked) }

// tell says how old the copy is, as a sentence.
func (k *keyStory) tell(now time.Time) string {
	if k == nil {
		return ""
	}
	text := " The set was read from " + clip(k.uri) + " " + seconds(now.Sub(k.FetchedAt)) + " ago"
	if k.CacheControl != "" {
		text += " (Cache-Control: " + clip(k.CacheControl) + ")"
	}
	text += "."
	switch failed := k.Failed; {
	case k.stale > 0:
		text += " This server's behaviour keeps a set for " + seconds(k.stale) + " by its own clock and " +
			"reads it for no new kid before, as some servers do."
	case failed != nil:
		text += " The server tried to read it again " + seconds(now.Sub(failed.At)) + " ago and failed (" +
			failed.Err.Short + "), so this older copy was used."
	case now.Before(k.RefetchAfter):
		text += " It is read again before its time at most once every " + seconds(k.RefetchEvery) + "."
	}
	return text
}
