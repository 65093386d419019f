package docs

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fault"
)

// faultTables is where faults.md begins to be made of the table of faults.
const faultTables = "## What there is\n"

const failuresHead = faultTables + `
*Rows* are those of the table of mistakes and mishaps that [checks.md](checks.md) and [behaviours.md](behaviours.md) name too.
The first parameter may stand behind the id alone: ` + "`retryafter=60` is `retryafter:seconds=60`" + `.

| fault | what the client meets | parameters, with their defaults | rows |
|---|---|---|---|
`

const rulesHead = `
## Rules of the server, for some requests

Every switch of the [behaviour](behaviours.md) is a fault too. It leaves the behaviour as it is: the requests that
meet the fault are answered as if the switch had its value, all others as before. So one client in ten can be told
that its scopes are of the wrong version, or one service that its algorithm is not taken:

` + "```sh" + `
go run . --fault 'scope.version=v1#rate=0.1,seed=7' --fault 'alg.allow=RS384@client=my-service'
` + "```" + `

Faults of several switches meet one request together; of the same switch the first that fits does. *Requests* says
which those are that a fault counts and meets. What only shows a switch, as discovery shows ` + "`alg.allow`, `scope.version` and\n`secret.offered`" + `,
meets a fault without counts, and whatever a switch decides at the kick-off of an export holds for that job. To change a rule for
everybody and for good, change the behaviour.

| fault | what it decides | value where none is written | requests | rows |
|---|---|---|---|---|
`

const otherNamesOfFaults = `
Some have further names: ` + "`aud.policy` and `aud.strict_slash` (`aud.accept`), `require=iat` (`iat.require`), `ig` (`export.version`), " +
	"`files.max_lines` (`files.max_rows`), `files.gzip_mislabelled` (`files.gzip`)" + `.
A negative ` + "`clock.skew`" + ` is a server that tolerates nothing and whose clock is behind by as much.
`

// The tables of faults.md are those of the program.
func TestFaults(t *testing.T) {
	t.Parallel()
	written, _, found := strings.Cut(read(t, "docs/faults.md"), faultTables)
	if !found {
		t.Fatal("faults.md has no place for its tables")
	}
	failures, rules := written+failuresHead, rulesHead
	for _, f := range fault.Table() {
		var params, kinds []string
		for _, p := range f.Params {
			params = append(params, "`"+p.Name+"="+p.Default+"`: "+p.Does)
		}
		for _, k := range f.On {
			kinds = append(kinds, string(k))
		}
		if f.OfBehaviour() {
			rules += "| " + strings.Join([]string{"`" + f.ID + "`", cell(f.Does), "`" + f.Params[0].Default + "`", strings.Join(kinds, ", "), f.Rows}, " | ") + " |\n"
			continue
		}
		failures += "| " + strings.Join([]string{"`" + f.ID + "`", f.Does, strings.Join(params, "; "), f.Rows}, " | ") + " |\n"
	}
	made(t, "faults.md", failures+rules+otherNamesOfFaults)
}
