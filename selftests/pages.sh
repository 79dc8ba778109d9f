# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The documents: their commands are run on the server as they stand, and their files
# and log lines are those of tests. Sourced by tests after module.sh. What marks a
# block: see docs.py.

# shellcheck disable=SC2154 # variables of the files that lib.sh sources

pages=/payload/docs

# tool_install: what "make install" puts on a machine, but for the module
tool_install()
{
	mkdir -p /usr/local/sbin /usr/local/libexec/esptrack
	cp /payload/hooks/updown /usr/local/libexec/esptrack/
	cp /payload/esptrack /usr/local/sbin/
}

# module_install: so that modprobe finds it, and the kernel when the tool asks for it
module_install()
{
	mkdir -p "$module_dir"
	cp "$module" "$module_dir/"
	quietly depmod || bail "no depmod"
	defer module_uninstall
	defer module_unload
}
module_dir=/lib/modules/$(uname -r)/updates

# Also at the end of a test that has done it already.
module_uninstall()
{
	rm -rf "$module_dir"
	quietly depmod
}

# page_file PAGE NAME: a file of a page, as a file of ours; prints its name
page_file()
{
	"$here/docs.py" get "$pages/$1.md" "$2" > "$tmp/$2" && echo "$tmp/$2"
}

# gateway PID PAGE NAME: the page's commands of this name, run where the daemon with
# this pid is: in its namespaces
gateway()
{
	"$here/docs.py" run "$pages/$2.md" "$3" \
		nsenter --mount --net -t "$1" env "${gateway_env[@]}" bash
}
gateway_env=(PATH="/usr/local/sbin:$PATH")

# seen PAGE NAME LOG FROM: the page's lines are in the log, behind line FROM
seen()
{
	tail -n "+$(($4 + 1))" "$3" > "$tmp/seen"
	"$here/docs.py" seen "$pages/$1.md" "$2" "$tmp/seen"
}

# see PAGE NAME LOG FROM: within 20 seconds
see()
{
	check "$1: the log says what the page shows: $2" busywait 20 seen "$@" ||
		note "$(cat "$tmp/seen")"
}

log_length()
{
	wc -l < "$1"
}
