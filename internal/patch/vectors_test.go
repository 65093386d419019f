package patch_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/patch"
)

var (
	update = flag.Bool("update", false, "write testdata/vectors.ndjson anew, which needs python3 with jsonpatch")
	seed   = flag.Uint64("seed", 1, "of the random patches; 0 for another one every time")
)

// A vector is a document, a patch and what another implementation makes of them: want is empty
// where it refuses.
type vector struct{ Doc, Patch, Want string }

func (v vector) check(t *testing.T) {
	t.Helper()
	var got []byte
	p, err := patch.ParseJSON([]byte(v.Patch))
	if err == nil {
		got, err = p.Apply([]byte(v.Doc))
	}
	if err != nil {
		got = nil
	}
	if string(got) != v.Want {
		t.Errorf("document %s\npatch %s\n got %s (%v)\nwant %s", v.Doc, v.Patch, got, err, v.Want)
	}
}

const vectorFile = "testdata/vectors.ndjson"

// TestVectors applies the patches of a file whose outcomes another implementation has worked out.
func TestVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	for line := range strings.Lines(string(text)) {
		var v vector
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		v.check(t)
		if v.Want != "" {
			applied++
		}
	}
	if applied < 100 {
		t.Errorf("%d vectors are applied, which proves little", applied)
	}
}

// TestAgainstAnotherImplementation applies random patches here and in Python.
func TestAgainstAnotherImplementation(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import jsonpatch").Run(); err != nil {
		t.Skipf("no python3 with jsonpatch: %v", err)
	}
	from, number := *seed, 3000
	if *update {
		from, number = 1, 400
	}
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("-seed=%d", from)
	r := generator{Rand: rand.New(rand.NewPCG(from, 0))}
	vectors := make([]vector, number)
	for i := range vectors {
		vectors[i] = r.vector(t)
	}
	outcomes(t, vectors)
	var file bytes.Buffer
	encoder := json.NewEncoder(&file)
	encoder.SetEscapeHTML(false)
	for _, v := range vectors {
		v.check(t)
		if err := encoder.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(vectorFile, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// scalars are what random documents hold: no two of them are equal, so that a test is one of the
// literal, and each would change its bytes if anything but its bytes were kept.
func scalars() []string {
	return []string{`1.00`, `2.50`, `1E+2`, `0.10`, `-0.0`, `12345678901234567890.10`, `"x"`, `"\u0041"`, `"é\/"`, `""`, `"<&>"`, `true`, `false`, `null`}
}

// outcomes has the patches applied in Python. Python sees each scalar as a number that stands for
// its literal, and so cannot change it, or take true for 1.
func outcomes(t *testing.T, vectors []vector) {
	t.Helper()
	var in bytes.Buffer
	for _, v := range vectors {
		fmt.Fprintf(&in, `{"doc":%s,"patch":%s}`+"\n", coded(t, v.Doc, false), coded(t, v.Patch, true))
	}
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/apply.py")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for i := range vectors {
		if !lines.Scan() {
			t.Fatal("an outcome is missing")
		}
		root := parse(t, lines.Text())
		if doc := root.Get("doc"); doc != nil {
			vectors[i].Want = decoded(t, doc)
		}
	}
}

// coded writes JSON with a number for each scalar: of a patch only in the values.
func coded(t *testing.T, text string, isPatch bool) string {
	root := parse(t, text)
	if !isPatch {
		return written(root, func(n *fhirjson.Node) string {
			for i, s := range scalars() {
				if text[n.Start:n.End] == s {
					return strconv.Itoa(10 + i)
				}
			}
			t.Fatalf("unknown scalar %s", text[n.Start:n.End])
			return ""
		})
	}
	var operations []string
	for i := range root.Items {
		var members []string
		for _, m := range root.Items[i].Members {
			value := text[m.Value.Start:m.Value.End]
			if m.Name == "value" {
				value = coded(t, value, false)
			}
			members = append(members, strconv.Quote(m.Name)+":"+value)
		}
		operations = append(operations, "{"+strings.Join(members, ",")+"}")
	}
	return "[" + strings.Join(operations, ",") + "]"
}

func decoded(t *testing.T, root *fhirjson.Node) string {
	return written(root, func(n *fhirjson.Node) string {
		i, err := strconv.Atoi(n.Text)
		if err != nil {
			t.Fatal(err)
		}
		return scalars()[i-10]
	})
}

// written writes n with another text for each scalar.
func written(n *fhirjson.Node, scalar func(*fhirjson.Node) string) string {
	var list []string
	switch n.Kind {
	case fhirjson.Object:
		for i := range n.Members {
			list = append(list, quoted(n.Members[i].Name)+":"+written(&n.Members[i].Value, scalar))
		}
		return "{" + strings.Join(list, ",") + "}"
	case fhirjson.Array:
		for i := range n.Items {
			list = append(list, written(&n.Items[i], scalar))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	return scalar(n)
}

// quoted writes one of the names below, none of which needs an escape.
func quoted(name string) string { return `"` + name + `"` }

func parse(t testing.TB, text string) *fhirjson.Node {
	t.Helper()
	root, err := fhirjson.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return root
}

// A generator makes random documents and patches of them.
type generator struct{ *rand.Rand }

func (r generator) of(list ...string) string { return list[r.IntN(len(list))] }

func (r generator) name() string { return r.of("a", "b", "c", "", "a/b", "m~n", "é", "0") }

// value is a random value of at most that depth.
func (r generator) value(depth int) string {
	kind := r.IntN(5)
	if depth == 0 {
		kind = 4
	}
	var list []string
	switch kind {
	case 0, 1:
		seen := map[string]bool{}
		for range r.IntN(4) {
			if name := r.name(); !seen[name] {
				seen[name] = true
				list = append(list, quoted(name)+":"+r.value(depth-1))
			}
		}
		return "{" + strings.Join(list, ",") + "}"
	case 2, 3:
		for range r.IntN(4) {
			list = append(list, r.value(depth-1))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	return r.of(scalars()...)
}

func (r generator) vector(t *testing.T) vector {
	v := vector{Doc: "1.00"}
	for !strings.ContainsAny(v.Doc[:1], "{[") || len(v.Doc) < 20 {
		v.Doc = r.value(4)
	}
	var operations []string
	root := parse(t, v.Doc)
	for range 1 + r.IntN(4) {
		operations = append(operations, r.operation(v.Doc, places(root, "")))
		v.Patch = "[" + strings.Join(operations, ",") + "]"
	}
	return v
}

// operation is a random operation on a document, or on one like it.
func (r generator) operation(doc string, places []place) string {
	op := r.of("add", "remove", "replace", "move", "copy", "test")
	path, there := r.place(places)
	if path == "" && op != "replace" && op != "test" || op == "replace" && strings.HasSuffix(path, "/-") {
		return r.operation(doc, places) // the other implementation takes these otherwise than RFC 6902, a member named - among them
	}
	text := fmt.Sprintf(`{"op":%q,"path":%q`, op, path)
	switch op {
	case "add", "replace":
		text += `,"value":` + r.value(2)
	case "test":
		value := doc[there.Start:there.End]
		if r.IntN(4) == 0 {
			value = r.value(2)
		}
		text += `,"value":` + value
	case "move", "copy":
		from, _ := r.place(places)
		if from == "" || op == "move" && strings.HasPrefix(path, from) {
			return r.operation(doc, places) // and so it does these
		}
		text += fmt.Sprintf(`,"from":%q`, from)
	}
	return text + "}"
}

// place is a pointer to a value of the document, most of the time, and the value.
func (r generator) place(places []place) (string, *fhirjson.Node) {
	at := places[r.IntN(len(places))]
	p := at.pointer
	switch r.IntN(16) {
	case 0:
		p += "/" + r.of("a", "0", "-", "1", "01", "é", "a~1b", "m~0n", "")
	case 1:
		p = p[:strings.LastIndexByte("/"+p, '/')] + r.of("/-", "/0", "/2", "/c")
	}
	return p, at.Node
}

// A place is a value and the pointer to it.
type place struct {
	pointer string
	*fhirjson.Node
}

// places are n, which is at p, and all values in it.
func places(n *fhirjson.Node, p string) []place {
	list := []place{{p, n}}
	for i := range n.Members {
		list = append(list, places(&n.Members[i].Value, p+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(n.Members[i].Name))...)
	}
	for i := range n.Items {
		list = append(list, places(&n.Items[i], p+"/"+strconv.Itoa(i))...)
	}
	return list
}
