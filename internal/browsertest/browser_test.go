package browsertest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "write the pictures in docs/images")

// needBrowser is set where a missing browser is a failure.
const needBrowser = "SANDFHIR_NEEDS_BROWSER"

// A tab is a page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open opens a tab of a browser of its own.
func open(t *testing.T) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv(needBrowser) != "" {
			t.Fatal("there is no Chromium, and " + needBrowser + " is set")
		}
		t.Skip("left out: there is no Chromium")
	}
	if testing.Short() {
		t.Skip("left out: no browser is started by -short")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1280, 900))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		t.Fatal(err)
	}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("a script failed: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			// A page that is a refusal is one on purpose.
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "Failed to load resource") {
				t.Errorf("the browser says: %s", e.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return &tab{t, ctx}
}

// do runs actions, and fails the test with what it was about.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, what, chromedp.Steps(steps...))
}

// run runs an action in a tab and returns its value.
func run[T any](b *tab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.fail(what, err)
	}
	return value
}

// patience is how long an action may take.
const patience = 20 * time.Second

// fail ends the test with what the page says.
func (b *tab) fail(what string, err error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body"))) // for the message alone
	b.t.Fatalf("%s: %v\nThe page says:\n%s", what, err, text)
}

// press presses the button or link with this text, and waits for the page that
// it leads to.
func (b *tab) press(text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(`//*[(self::button or self::a[not(starts-with(@href,"#"))]) and normalize-space(.)="`+text+`"]`)); err != nil {
		b.fail("press "+text, err)
	}
}

// unfold presses what shows more of the same page.
func (b *tab) unfold(text string) {
	b.t.Helper()
	b.do("unfold "+text, chromedp.Click(`//summary[normalize-space(.)="`+text+`"]`))
}

// text is what a part of the page says.
func (b *tab) text(selector chromedp.CSS) string {
	b.t.Helper()
	return run(b, "read "+string(selector), chromedp.Text(selector))
}

// wants checks that a part of the page says something.
func (b *tab) wants(what string, selector chromedp.CSS, texts ...string) {
	b.t.Helper()
	got := b.text(selector)
	for _, text := range texts {
		if !strings.Contains(got, text) {
			b.t.Errorf("%s: got %q, want %q in it", what, got, text)
		}
	}
}

// pictured are the looks that have pictures in docs/images: what is seen, the
// width and the colour scheme.
func pictured() []string {
	return []string{"home-1280-light", "register-1280-light", "service-1280-light", "service-390-dark", "admin-1280-dark", "rejected-1280-light", "faults-1280-light", "exchanges-1280-light", "keys-1280-light", "data-1280-light", "resource-1280-light", "clock-1280-light", "worlds-1280-light"}
}

// look looks at the page in two widths and both colour schemes: nothing may
// stick out at the side.
func (b *tab) look(name string) {
	b.t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			b.do("look at "+name, chromedp.EmulateViewport(width, 900), prefer(scheme))
			overflow := run(b, "measure "+name, chromedp.Evaluate[int64](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
			if overflow > 0 {
				b.t.Errorf("%s: at %d pixels %d stick out at the side", name, width, overflow)
			}
			file := fmt.Sprintf("%s-%d-%s", name, width, scheme)
			if *update && slices.Contains(pictured(), file) {
				write(b.t, filepath.Join("..", "..", "docs", "images", file+".png"), run(b, "take a picture of "+name, chromedp.FullScreenshot(100)))
			}
		}
	}
	b.do("look as before", chromedp.EmulateViewport(1280, 900), prefer(""))
}

// prefer sets the colour scheme that the reader prefers; "" is the browser's own.
func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
