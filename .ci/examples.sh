#!/usr/bin/env bash
# examples.sh runs every example against a server of its own on a free port and compares what they
# print. Go's are always run; Python's and Node's where the interpreter is there. What is left out
# is said, and written to the file that LEFT_OUT names.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
finish() {
	if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
	rm -rf "$work"
}
trap finish EXIT

leave_out() {
	echo "examples: LEFT OUT: $*"
	echo "$*" >>"${LEFT_OUT:-/dev/null}"
}

go build -buildvcs=false -o "$work/sandfhir" .
cd examples
go vet ./...
go test ./...

XDG_RUNTIME_DIR=$work "$work/sandfhir" --addr 127.0.0.1:0 >"$work/out" &
server=$!
fhir=
while [ -z "$fhir" ]; do
	kill -0 "$server"
	sleep 0.1
	fhir=$(sed -n 's/^ *FHIR base *//p' "$work/out")
done

go build -buildvcs=false -o "$work/go-example" ./go
"$work/go-example" "$fhir" | tee "$work/go"
grep -qx 'Patient 100' "$work/go"

# complains COMMAND… runs an example where nothing listens, and where the server refuses: it ends
# with exit code 1 and one line that says why.
complains() {
	local base code
	for base in http://127.0.0.1:2/fhir "${fhir%/fhir}/nothing"; do
		code=0
		"$@" "$base" >"$work/out" 2>"$work/err" || code=$?
		if [ "$code" != 1 ] || [ -s "$work/out" ] || [ "$(wc -l <"$work/err")" != 1 ] || ! grep -qF "$base/" "$work/err"; then
			echo "examples: $* $base: exit code $code"
			cat "$work/out" "$work/err"
			exit 1
		fi
	done
	echo "examples: $1 says in a line what went wrong"
}

complains "$work/go-example"

# same NAME COMMAND… runs an example, which has to print what Go's printed.
same() {
	"${@:2}" "$fhir" >"$work/$1"
	cmp "$work/go" "$work/$1"
	complains "${@:2}"
	echo "examples: $1 prints the same as Go"
}

python=python3
if ! command -v python3 >/dev/null; then
	leave_out "the Python example: there is no python3"
elif python3 -c 'import cryptography' 2>/dev/null ||
	{ python3 -m venv "$work/venv" && python=$work/venv/bin/python && "$python" -m pip install --quiet cryptography; }; then
	same python "$python" python/export.py
else
	leave_out "the Python example: the package cryptography cannot be had"
fi

if ! command -v node >/dev/null; then
	leave_out "the Node example: there is no node"
elif ! node -e 'process.exit(typeof fetch === "function" ? 0 : 1)'; then
	leave_out "the Node example: node $(node --version) has no fetch"
else
	same node node node/export.mjs
fi
