package web

import "time"

// ClockPage shows a workspace's clock and moves it.
type ClockPage struct {
	Site
	Here    string // URL of the page, which forms are sent to
	Now     time.Time
	Real    time.Time
	Frozen  bool
	Written string // the time or duration that was asked for and is wrong
	Done    string // what was done, or ""
	Problem string // what could not be done, or ""
}

// Moved reports whether the clock does not show real time.
func (p ClockPage) Moved() bool { return p.Now.Sub(p.Real).Abs() >= time.Second }

// Render returns the page as HTML.
func (p ClockPage) Render() ([]byte, error) { return render("clock.html", p) }

// Title returns the document's title.
func (p ClockPage) Title() string { return "Clock · Sandfhir" }

// SnapshotsPage lists a workspace's snapshots, takes, restores and removes them,
// and has the workspace begin anew.
type SnapshotsPage struct {
	Site
	Here      string // URL of the page, which forms are sent to
	State     string // URL of the workspace's state, as one file
	StateURL  string // the same, absolute, for a command
	Snapshots []Snapshot
	Done      string
	Problem   string
}

// A Snapshot is one that can be restored.
type Snapshot struct {
	Name string
	At   time.Time
}

// Render returns the page as HTML.
func (p SnapshotsPage) Render() ([]byte, error) { return render("snapshots.html", p) }

// Title returns the document's title.
func (p SnapshotsPage) Title() string { return "Snapshots · Sandfhir" }

// WorldsPage lists the workspaces beside the default one, makes and ends them.
type WorldsPage struct {
	Site
	Here       string // URL of the page, which forms are sent to
	Endpoint   string // the same, absolute, for a command
	Worlds     []World
	Behaviours []string
	Problem    string
}

// A World is a workspace beside the default one.
type World struct {
	Name      string
	Page      string // URL of its start page
	FHIR      string // its FHIR base, absolute
	Behaviour string
	Made      time.Time
	Ends      time.Time // zero: it stays
}

// Render returns the page as HTML.
func (p WorldsPage) Render() ([]byte, error) { return render("worlds.html", p) }

// Title returns the document's title.
func (p WorldsPage) Title() string { return "Worlds · Sandfhir" }
