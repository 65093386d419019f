package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/seed"
)

// Dir returns the directory that keeps the environment's data across restarts,
// or "".
func (e *resources) Dir() string { return e.dir }

// Population returns what the environment's data began with, once they were
// opened. ok is false of a data directory that does not say so.
func (e *resources) Population() (p seed.Population, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.population, e.population.Patients >= 0
}

// populationFile is the file in the data directory of an environment that says
// what population it began with.
const populationFile = "population.json"

// A populationNote is what the file says.
type populationNote struct {
	Patients int           `json:"patients"`
	Seed     uint64        `json:"seed"`
	Richness seed.Richness `json:"richness,omitempty"`
	Days     int           `json:"days,omitempty"` // that it has moved on
	Version  string        `json:"version,omitempty"`
}

func noteOf(p seed.Population) populationNote {
	return populationNote{p.Patients, p.Seed, p.Richness, p.Days, seed.Version}
}

// note writes down what population dir begins with.
func (e *resources) note(dir string) error {
	return writeNote(filepath.Join(dir, populationFile), noteOf(e.population))
}

func writeNote(path string, note populationNote) error {
	data, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("encode the population: %w", err)
	}
	return writeFile(path, append(data, '\n'))
}

// writeFile writes a file that only its owner can read, and waits for the disk.
func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync() // before it gets the name by which it counts
	}
	return errors.Join(err, f.Close())
}

// replaceNote writes a note in the place of the one that there is.
func replaceNote(path string, note populationNote) error {
	if err := writeNote(path+".new", note); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// replaceFile writes a file whole, or leaves the one that there was.
func replaceFile(path string, data []byte) error {
	if err := writeFile(path+".new", data); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// recall reads what population dir began with. A file that cannot be read as
// one says nothing, as no file does.
func (e *resources) recall(dir string) error {
	began, err := readNote(dir)
	if err != nil {
		return err
	}
	e.population = seed.Population{Patients: began.Patients, Seed: began.Seed, Richness: began.Richness, Days: began.Days}
	e.older = began.Version != seed.Version
	return nil
}

func readNote(dir string) (populationNote, error) {
	began := populationNote{Patients: -1}
	data, err := os.ReadFile(filepath.Join(dir, populationFile))
	if err == nil && json.Unmarshal(data, &began) != nil {
		began = populationNote{Patients: -1}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return began, fmt.Errorf("read what population the data began with: %w", err)
	}
	return began, nil
}
