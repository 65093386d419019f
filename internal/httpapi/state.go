package httpapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/workspace"
)

// maxState is the largest state that is taken, in bytes.
const maxState = 16 << 30

const zipType = "application/zip"

// exportState sends what the workspace holds as one file.
func (l *call) exportState() error {
	f, err := l.stateFile()
	if err != nil {
		return err
	}
	if err := l.workspace.ExportState(l.UserContext(), f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("export state: %w", err)
	}
	l.Set(fiber.HeaderContentType, zipType)
	l.Set(fiber.HeaderContentDisposition, `attachment; filename="sandfhir-state.zip"`)
	l.noStore() // it holds keys
	l.stream(fileBody{f}, 0, size)
	return nil
}

// stateFile makes a file that is removed once the answer has been sent.
func (l *call) stateFile() (*os.File, error) {
	dir, err := l.workspace.TempDir()
	if err != nil {
		return nil, fmt.Errorf("place for the state: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "state.zip"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("place for the state: %w", err), os.RemoveAll(dir))
	}
	l.server.conns.hold(l.Context().Conn(), func() {
		if err := errors.Join(f.Close(), os.RemoveAll(dir)); err != nil {
			l.server.cfg.Logger.Error("a state that was sent or read could not be removed", "error", err)
		}
	})
	return f, nil
}

// A fileBody is a file as the body of an answer.
type fileBody struct{ f *os.File }

func (b fileBody) send(w io.Writer, offset, n int64) error {
	_, err := io.Copy(w, io.NewSectionReader(b.f, offset, n))
	return err
}

// importState has the workspace hold what a file of exportState says.
func (l *call) importState() error {
	stream := l.bodyStream()
	if stream == nil {
		return badRequest("required", "the body has to be a state, as GET /_sandbox/state gives it")
	}
	f, err := l.stateFile()
	if err != nil {
		return err
	}
	size, err := io.Copy(f, io.LimitReader(stream, maxState+1))
	switch told := int64(l.Request().Header.ContentLength()); {
	case size > maxState:
		return &httpError{status: fiber.StatusRequestEntityTooLarge, code: "too-long", message: "the body is larger than " + bytesText(maxState) + ", the most that is taken here"}
	case l.body.err != nil && l.body.err != io.EOF, size < told:
		l.Context().SetConnectionClose()
		return badRequest("structure", bodyEndsEarly)
	case err != nil:
		return fmt.Errorf("import state: %w", err)
	}
	if err := l.workspace.ImportState(l.UserContext(), f, size); err != nil {
		if errors.Is(err, workspace.ErrState) {
			return badRequest("structure", err.Error())
		}
		return err
	}
	return l.json(fiber.StatusOK, doneView{"imported"})
}
