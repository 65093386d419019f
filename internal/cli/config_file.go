package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/BurntSushi/toml"
)

// A configFile is what a settings file says, as text by name of setting.
type configFile struct {
	path   string
	values map[string][]string
}

// readConfig reads a TOML file. A key that is no setting of the table, or one that may not
// stand in a file, is an error.
func readConfig(path string, table []setting) (configFile, error) {
	file := configFile{path: path, values: map[string][]string{}}
	data, err := os.ReadFile(path)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return file, usagef("%s: the settings file cannot be read: %v", path, err)
	}
	var content map[string]any
	meta, err := toml.Decode(string(data), &content)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return file, usagef("%s:%d: %s", path, syntax.Position.Line, syntax.Message)
	}
	if err != nil {
		return file, usagef("%s: %v", path, err)
	}
	for _, key := range meta.Keys() {
		if len(key) > 1 {
			continue // its table is what is wrong
		}
		values, err := configValue(table, key[0], content[key[0]])
		if err != nil {
			return file, usagef("%s: %v", path, err)
		}
		file.values[key[0]] = values
	}
	return file, nil
}

// configValue returns the text of a file's value for the setting called name.
func configValue(table []setting, name string, value any) ([]string, error) {
	i := slices.IndexFunc(table, func(s setting) bool { return s.name == name })
	if i < 0 {
		var names []string
		for _, s := range table {
			if s.places&byFile != 0 {
				names = append(names, s.name)
			}
		}
		return nil, fmt.Errorf("there is no setting %q%s", name, didYouMean(name, names, "%q", ""))
	}
	s := &table[i]
	if s.places&byFile == 0 {
		return nil, fmt.Errorf("%s cannot stand in a settings file; set %s", name, s.env())
	}
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	} else if !s.list {
		return nil, fmt.Errorf("%s: takes one value, not a list", name)
	}
	var values []string
	for _, item := range items {
		text, ok := configText(item)
		if !ok {
			return nil, fmt.Errorf("%s: a value is a string, a number or a boolean", name)
		}
		values = append(values, text)
	}
	return values, nil
}

func configText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}
