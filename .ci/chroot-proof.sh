#!/usr/bin/env bash
# chroot-proof.sh shows that the container image needs nothing but what is in it: it lays out the
# image's root directory and runs the server there in a chroot, as the image's user and with the
# environment of the Dockerfile. There is no shell, no /proc, no /dev and no /tmp. It shows the
# health check, a token, a read, and a write that survives both an orderly stop and a kill -9.
# It needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
root=$work/root
server=
finish() {
	if [ -n "$server" ]; then kill -9 "$server" 2>/dev/null || true; fi
	chmod -R u+w "$work"
	rm -rf "$work"
}
trap finish EXIT

user=$(sed -n 's/^USER //p' Dockerfile)
read -ra environment <<<"$(sed -n 's/^ENV //p' Dockerfile | tr '\n' ' ')"
address=127.0.0.1:0 # the image listens on all of its own addresses; here that would be the machine's

# in_chroot sets line to the command line that runs the program in the chroot.
in_chroot() {
	line=(env -i "${environment[@]}" "SANDFHIR_ADDR=$address"
		"$(command -v chroot)" "--userspec=$user" --groups= "$root" /sandfhir "$@")
}

inside() {
	local line
	in_chroot "$@"
	"${line[@]}"
}

start() {
	local line base=
	in_chroot
	: >"$work/out" # there before the server is
	"${line[@]}" >"$work/out" 2>"$work/err" &
	server=$!
	for _ in $(seq 300); do
		base=$(sed -n 's/^ *FHIR base *http:\/\///p' "$work/out")
		if [ -n "$base" ]; then
			address=${base%/fhir} # from now on the same one
			return
		fi
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/out" "$work/err"
	fail "the server did not start"
}

stop() {
	kill "-$1" "$server"
	local code=0
	wait "$server" 2>/dev/null || code=$?
	server=
	[ "$1" = KILL ] || [ "$code" = 0 ] || { cat "$work/err"; fail "the server ended with exit code $code"; }
}

fail() {
	echo "chroot proof: $*" >&2
	exit 1
}

put() { # id family
	local body='{"resourceType":"Patient","id":"'$1'","name":[{"family":"'$2'"}]}' token answer
	token=$(inside token --scope system/Patient.cruds)
	exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
	printf 'PUT /fhir/Patient/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
		"$1" "$address" "$token" "${#body}" "$body" >&3
	read -r answer <&3
	exec 3<&- 3>&-
	[[ $answer == *" 201 "* ]] || fail "the write was answered with $answer"
}

expect() { # text command…
	local want=$1 got
	shift
	got=$(inside "$@") || fail "$* failed: $got"
	[[ $got == *"$want"* ]] || fail "$* does not say $want: ${got:0:300}"
	echo "chroot proof: $*: ok"
}

sh .ci/image-root.sh "$root"
chmod 755 "$root"
install -d -o "${user%:*}" -g "${user#*:}" "$root/data"
(cd "$root" && find . -path ./data -prune -o -printf '%p %s %T@ %m\n' | sort) >"$work/before"
echo "chroot proof: the image's files: $(du -sh --apparent-size "$root" | cut -f1), of them the binary $(du -sh --apparent-size "$root/sandfhir" | cut -f1)"

start
expect ready healthcheck
expect ready healthcheck --url "http://$address/production"
expect eyJ token
expect '"total":100' get 'Patient?_count=1'
put stopped Orderly
stop TERM
start
expect '"family":"Orderly"' get Patient/stopped
put killed Sudden
stop KILL
start
expect '"family":"Orderly"' get Patient/stopped
expect '"family":"Sudden"' get Patient/killed
stop TERM

(cd "$root" && find . -path ./data -prune -o -printf '%p %s %T@ %m\n' | sort) | cmp "$work/before" - ||
	fail "something was written outside of /data"
echo "chroot proof: passed as $user"
