package httpapi

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
)

// TestPanicsAreLogged looks for what is needed to mend a panic.
func TestPanicsAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &Server{cfg: Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
	app := fiber.New()
	app.Use(recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: s.logPanic}))
	app.Get("/broken", func(*fiber.Ctx) error { panic("no memory") })
	resp, err := app.Test(httptest.NewRequest("GET", "/broken", nil))
	if err != nil || resp.StatusCode != 500 {
		t.Fatalf("got %v, %v", resp, err)
	}
	for _, want := range []string{"path=/broken", "no memory", "TestPanicsAreLogged"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s: %s", want, &log)
		}
	}
}
