#!/bin/sh
# image-root.sh DIR lays out in DIR the root directory of the container image: the static binary,
# the sample populations of both environments, the certificate authorities by which servers of
# clients' key sets are known, and the one writable directory. The Dockerfile and the proof that
# the image needs nothing else (chroot-proof.sh) both use it.
set -eu
cd "$(dirname "$0")/.."
root=$1

mkdir -p "$root/data" "$root/population" "$root/etc/ssl/certs"
CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w" -o "$root/sandfhir" .
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# A server builds a population when it first needs it: the sandbox's as it starts, and
# production's when it is asked whether that is ready.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
env -i "SANDFHIR_CACHE_DIR=$root/population" "$root/sandfhir" --addr 127.0.0.1:0 >"$log" &
server=$!
fhir=
while [ -z "$fhir" ]; do
	kill -0 "$server" || { wait "$server"; exit 1; }
	sleep 0.1
	fhir=$(sed -n 's/^ *FHIR base *//p' "$log")
done
"$root/sandfhir" healthcheck --url "${fhir%/fhir}/production" --timeout 2m
kill "$server"
wait "$server"

# The populations are only read, by whatever user.
chmod -R a+rX,a-w "$root/population"
