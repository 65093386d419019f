package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the module's directory.
const root = "../.."

// Whatever depends on time takes a clock, so that it can be moved.
func TestOnlyClockReadsTheWallClock(t *testing.T) {
	t.Parallel()
	eachFile(t, func(f *file) {
		if f.dir == "internal/clock" {
			return
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && f.imports(s.X) == "time" && slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
				t.Errorf("%s: time.%s; ask a clock.Clock", f.at(s), s.Sel.Name)
			}
			return true
		})
	})
}

// Two servers run side by side in a process: nothing happens because a package is linked.
func TestNoInit(t *testing.T) {
	t.Parallel()
	eachFile(t, func(f *file) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init", f.at(fn))
			}
		}
	})
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	eachFile(t, func(f *file) {
		said[f.dir] = said[f.dir] || f.syntax.Doc != nil
	})
	for dir, ok := range said {
		if !ok {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

// A library can be replaced where no exported signature holds a type of it.
func TestNoForeignTypeIsExported(t *testing.T) {
	t.Parallel()
	eachFile(t, func(f *file) {
		for _, d := range f.syntax.Decls {
			for _, part := range exported(d) {
				ast.Inspect(part, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok && isForeign(f.imports(s.X)) {
						t.Errorf("%s: an exported declaration holds a type of %s", f.at(s), f.imports(s.X))
					}
					return true
				})
			}
		}
	})
}

// exported returns what a user of the package sees of a declaration's types.
func exported(d ast.Decl) []ast.Node {
	var parts []ast.Node
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv)) {
			parts = append(parts, d.Type)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					parts = append(parts, visible(s.Type)...)
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) && s.Type != nil {
					parts = append(parts, s.Type)
				}
			}
		}
	}
	return parts
}

// visible returns what is seen of a type: of a struct its exported and embedded fields, of an
// interface its exported and embedded members.
func visible(e ast.Expr) []ast.Node {
	var fields *ast.FieldList
	switch e := e.(type) {
	case *ast.StructType:
		fields = e.Fields
	case *ast.InterfaceType:
		fields = e.Methods
	default:
		return []ast.Node{e}
	}
	var parts []ast.Node
	for _, f := range fields.List {
		if len(f.Names) == 0 || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
			parts = append(parts, f.Type)
		}
	}
	return parts
}

func exportedReceiver(recv *ast.FieldList) bool {
	e := recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// A file is a source file that is no test.
type file struct {
	dir    string // below the module, "." for its root
	syntax *ast.File
	set    *token.FileSet
}

// eachFile calls f for every source file of the module's program: not for tests and examples.
func eachFile(t *testing.T, f func(*file)) {
	t.Helper()
	set, n := token.NewFileSet(), 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (name == "testdata" || name == "examples" || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		syntax, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		n++
		f(&file{dir: filepath.ToSlash(dir), syntax: syntax, set: set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatal("no source file was found")
	}
}

// at is where a node stands.
func (f *file) at(n ast.Node) string {
	p := f.set.Position(n.Pos())
	return strings.TrimPrefix(filepath.ToSlash(p.Filename), root+"/") + ":" + strconv.Itoa(p.Line)
}

// imports returns the import path that an expression names by itself, or "".
func (f *file) imports(e ast.Expr) string {
	id, ok := e.(*ast.Ident)
	if !ok {
		return ""
	}
	for _, spec := range f.syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := packageName(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == id.Name {
			return path
		}
	}
	return ""
}

// packageName is a package's name as its import path suggests it: the last element that is no
// major version.
func packageName(path string) string {
	elements := strings.Split(path, "/")
	if n := len(elements); n > 1 && regexp.MustCompile(`^v[0-9]+$`).MatchString(elements[n-1]) {
		elements = elements[:n-1]
	}
	return elements[len(elements)-1]
}
