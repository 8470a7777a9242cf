# Runs one PostgreSQL server for exactly as long as somebody holds the other end of standard input.
#
#   $1   the folder with initdb, pg_ctl and postgres
#
# Commands come on standard input, one a line: "init", "start PORT", "stop". Each is answered on standard output: first
# what the operator should read, if anything, then a line "ok" or "failed". The end of input, however it came about (the
# holder finished, panicked, was killed), stops the server at once and removes everything it wrote.

set -u
exec 2>&1

bin=$1

# A database is some 300 small files: made in 10 ms in memory, in up to 300 ms on a disk. Memory is taken where there is
# plenty (a container's /dev/shm is often 64 MB), else the temporary folder, unless this user may not write there.
plenty() {
	[ -w "$1" ] && df -Pk "$1" | {
		read -r _
		read -r _ _ _ free _
		[ "$free" -ge 4194304 ]
	}
}
if plenty /dev/shm; then
	base=/dev/shm
elif [ -w "${TMPDIR:-/tmp}" ]; then
	base=${TMPDIR:-/tmp}
else
	base=/tmp
fi
dir=$(mktemp -d "$base/signet-postgres.XXXXXXXX") || exit 1
data=$dir/data
log=$dir/log

stop() {
	"$bin/pg_ctl" -D "$data" -m immediate stop
}

finish() {
	stop </dev/null >/dev/null 2>&1
	rm -rf "$dir"
}

trap finish EXIT
trap 'exit 1' HUP INT TERM
trap '' PIPE # a holder that died while we were answering must not keep us from finishing

# Nothing here has to survive a crash of the machine, so nothing waits for a disk. It has to survive "stop": commits stay
# synchronous, or those of the last moments would be lost with the server's memory. A server that stops waits for a client
# that has connected a moment ago and not yet said who it is: that may last ten seconds here, not sixty.
initialise() {
	"$bin/initdb" -D "$data" -U postgres --auth=trust --encoding=UTF8 --no-locale --no-sync || return 1
	cat >>"$data/postgresql.conf" <<-'CONF'
		listen_addresses = '127.0.0.1'
		unix_socket_directories = ''
		max_connections = 300
		authentication_timeout = 10s
		shared_buffers = 64MB
		max_wal_size = 128MB
		fsync = off
		full_page_writes = off
		dynamic_shared_memory_type = mmap
	CONF
}

start() {
	"$bin/pg_ctl" -D "$data" -l "$log" -t 300 -o "-p $1" start
}

attempt() {
	if "$@" </dev/null >"$dir/output" 2>&1; then
		echo ok
		return
	fi
	cat "$dir/output"
	[ -f "$log" ] && tail -n 20 "$log"
	echo failed
}

while read -r command port; do
	case $command in
	init)
		echo "$dir"
		attempt initialise
		;;
	start) attempt start "$port" ;;
	stop) attempt stop ;;
	esac
done
