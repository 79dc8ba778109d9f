#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Metrics of a gateway whose peers move: both formats are what the ones who read
# them take, and the numbers are those of the gateway, and those that were caused.
# The timer writes them, node_exporter serves them, and Prometheus has them, and
# answers all that the dashboard asks.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=module.sh
. "$here/module.sh"
# shellcheck source=peers.sh
. "$here/peers.sh"
# shellcheck source=fleet.sh
. "$here/fleet.sh"

served_file=/var/lib/prometheus/node-exporter/esptrack.prom
data=/usr/share/esptrack
board=$data/esptrack.json

# metrics FILTER [KEYWORD...]: of the samples, as one object
metrics()
{
	tool server metrics "${@:2}" | "$here/openmetrics.py" | jq -c "$1"
}

# lint_text FILE
lint_text()
{
	promtool check metrics < "$1"
}

# served NAME: its value, as node_exporter serves it
served()
{
	get http://127.0.0.1:9100/metrics | awk -v name="$1" '$1 == name { print $2 }'
}

served_is()
{
	local now

	now=$(served "$1")
	echo "$now"
	[ "$now" = "$2" ]
}

# asked EXPRESSION: what Prometheus answers, one value a line
asked()
{
	promtool query instant http://127.0.0.1:9090 "$1" | sed 's/.*=> \([^ ]*\) @.*/\1/'
}

asked_is()
{
	local now

	now=$(asked "$1")
	echo "$now"
	[ "$now" = "$2" ]
}

# answers EXPRESSION: is there anything?
answers()
{
	[ -n "$(asked "$1")" ]
}

gateway_up
wire_start lan cloud lan
check "all peers move" answered $PEERS --place 1
check "and once more" answered $PEERS --place 2
wire_wait lan 0x00010001
wire_stop lan
moves=$((2 * PEERS))
inject cloud --pcap "$tmp/lan.pcap" --spi 0x10001 --forge --src 100.99.1.1:4500 \
	--dst $SERVER:4500 --seq-to 0x7fffffff --count 5 > "$tmp/inject.log"
for ((reqid = 1001; reqid <= 1000 + PEERS; reqid++)); do
	quietly tool server set reqid $reqid port_only on
done
check_eq "where only ports are followed they are refused" \
	"$(peers ping $PEERS --place 3 --tries 1 | jq .answered)" 0

check_eq "OpenMetrics: what was caused is counted" \
	"$(metrics '[.esptrack_sas, .esptrack_sas_following, .esptrack_moves_total,
		.esptrack_forged_packets_total,
		."esptrack_refused_packets_total address",
		."esptrack_refused_packets_total stale"] | map(floor)')" \
	"[$PEERS,$PEERS,$moves,5,$PEERS,0]"
stats=$(tool server -j stats)
check_eq "OpenMetrics: they are what stats say" \
	"$(metrics '[.esptrack_packets_total, .esptrack_elsewhere_packets_total,
		.esptrack_malformed_packets_total, .esptrack_seen_packets_total,
		.esptrack_unreported_packets_total, .esptrack_events_total,
		.esptrack_events_lost_total] | map(floor)')" \
	"$(jq -c '[.packets, .packets - .unchanged, .malformed,
		.seen, .unreported, .events, .events_lost]' <<< "$stats")"
check_eq "OpenMetrics: one series for each reason" \
	"$(metrics 'keys | map(select(startswith("esptrack_refused"))) | length')" \
	"$(grep -cE '^	ESPTRACK_REASON_[A-Z_]*( = 1)?,$' /payload/esptrack.h)"
check_eq "OpenMetrics: as many series as README says" "$(metrics length)" 25
check_eq "per SA: moves" \
	"$(metrics '[to_entries[] | select(.key | startswith("esptrack_sa_moves_total")) |
		.value | floor] | [length, add]' per-sa)" "[$PEERS,$moves]"
check_eq "per SA: SPI, address, reqid" \
	"$(metrics 'keys | map(select(startswith("esptrack_sa_static_nat"))) | .[0]' per-sa)" \
	"\"esptrack_sa_static_nat 0x00010001 $SERVER 1001\""

quietly ip -n server xfrm state add src 192.0.2.1 dst $SERVER proto esp spi 0x7777 reqid 77 \
	mode tunnel mark 0x5 mask 0xff aead 'rfc4106(gcm(aes))' "$static_key" 128 \
	encap espinudp 4500 4500 0.0.0.0
busywait 20 sas_are server $((PEERS + 1)) || bail "the marked SA is missing"
check_eq "per SA: the mark" \
	"$(metrics 'keys | map(select(contains("00007777"))) | .[0]' per-sa)" \
	"\"esptrack_sa_moves_total 0x00007777 $SERVER 0x5/0xff 77\""

# A name that must be escaped, in both formats.
strange='a"b\c'
ip netns attach "$strange" 1
check "a strange name of a namespace" \
	test "$(esptrack -n "$strange" metrics | "$here/openmetrics.py" | jq -r "keys[0]")" = \
	"esptrack_elsewhere_packets_total $strange"
esptrack -n "$strange" metrics text > "$tmp/strange"
check "and in the older format" lint_text "$tmp/strange"
ip netns del "$strange"

tool server metrics text > "$tmp/text"
check "promtool takes the older format" lint_text "$tmp/text"
tool server metrics per-sa text > "$tmp/text"
check "and that with each SA" lint_text "$tmp/text"
tool server metrics > "$tmp/text"
check_fails "which is another one than OpenMetrics" lint_text "$tmp/text"

# The timer, as it is shipped
in_server esptrack-metrics
service_start prometheus-node-exporter
service_enable esptrack-metrics.timer fleet-metrics
check "the timer has the file written" busywait 20 test -s "$served_file"
check "which promtool takes" lint_text "$served_file"
check "node_exporter serves it" busywait 20 served_is esptrack_moves_total $moves
check_eq "with the reason" "$(served 'esptrack_refused_packets_total{reason="address"}')" $PEERS
check_eq "and has met no error in it" "$(served node_textfile_scrape_error)" 0

cat > /etc/prometheus/prometheus.yml <<-END
	global: {scrape_interval: 5s, evaluation_interval: 5s}
	rule_files: [$data/esptrack.rules.yml]
	scrape_configs:
	- {job_name: node, static_configs: [{targets: ["127.0.0.1:9100"]}]}
END
check "Prometheus likes the alerts" promtool check config /etc/prometheus/prometheus.yml
check "and they do what they should" promtool test rules "$here/rules_alerts.yml"
service_start prometheus
check "Prometheus has the moves" busywait 60 asked_is esptrack_moves_total $moves
for ((reqid = 1001; reqid <= 1000 + PEERS; reqid++)); do
	quietly tool server set reqid $reqid port_only off
done
check "the peers move while Prometheus looks" answered $PEERS --place 5
moves=$((moves + PEERS))
check "half a minute later that is served" busywait 60 served_is esptrack_moves_total $moves
check "and Prometheus has them" busywait 60 asked_is esptrack_moves_total $moves
check "it has seen them move" busywait 60 asked_is 'increase(esptrack_moves_total[5m]) > bool 0' 1
check_eq "no rule of an alert fails" \
	"$(get http://127.0.0.1:9090/api/v1/rules | jq -c '[.data.groups[].rules[].health] | unique')" \
	'["ok"]'

quietly tool server set reqid 77 static_nat off || bail "no switch"
expr=$(jq -r '.panels[] | select(.title == "SAs that are not followed") |
	.targets[0].expr | gsub("{[^}]*}"; "")' $board)
check "how many are not followed the dashboard knows without series per SA" \
	busywait 60 asked_is "$expr" 1

# The rest of it is asked with series per SA.
cat > /run/systemd/system/esptrack-metrics.service.d/per-sa.conf <<-END
	[Service]
	ExecStart=
	ExecStart=/bin/sh -c '/usr/sbin/esptrack metrics per-sa text > esptrack.prom.new && mv esptrack.prom.new esptrack.prom'
END
quietly systemctl daemon-reload
check "series per SA can be had" quietly systemctl start esptrack-metrics.service
check "and Prometheus has them" busywait 60 asked_is "count(esptrack_sa_moves_total)" $((PEERS + 1))
get http://127.0.0.1:9100/metrics > "$tmp/all"
check_eq "the dashboard shows what is served, and nothing else" \
	"$("$here/dashboard.py" $board check "$tmp/all")" ""
"$here/dashboard.py" $board rules > "$tmp/dashboard.yml"
check "promtool takes its expressions" promtool check rules "$tmp/dashboard.yml"
mapfile -t exprs < <("$here/dashboard.py" $board exprs)
check_num "it has expressions" ${#exprs[@]} -gt 10
for expr in "${exprs[@]}"; do
	check "Prometheus answers $expr" busywait 60 answers "$expr"
done

# Nobody to ask
quietly systemctl stop esptrack-metrics.timer
before=$(cat "$served_file")
quietly module_unload
out=$(tool server metrics text 2> "$tmp/metrics.log")
check_eq "without the module: exit status" $? 2
check_eq "nothing is printed" "$out" ""
quietly systemctl start esptrack-metrics.timer
check "the service does not run" busywait 20 service_is esptrack-metrics ConditionResult no
check_eq "nothing has loaded the module" "$(module_loaded && echo loaded)" ""
check_eq "the file is as it was" "$(cat "$served_file")" "$before"
touch "$tmp/mark"
module_load static_nat=1
check "when the module is there again the timer goes on" busywait 60 test "$served_file" -nt "$tmp/mark"
check "with its numbers" grep -q '^esptrack_moves_total 0$' "$served_file"
quietly systemctl stop esptrack-metrics.timer
before=$(cat "$served_file")
quietly module_unload
sed -i '/^ConditionPathExists/d' /usr/lib/systemd/system/esptrack-metrics.service
quietly systemctl daemon-reload
check_fails "if it runs all the same, it fails" systemctl start esptrack-metrics.service
check "and says why" grep -q "module esptrack is not loaded" \
	<<< "$(journalctl --sync; journalctl -u esptrack-metrics -o cat)"
check_eq "the file is as it was" "$(cat "$served_file")" "$before"

systemctl reset-failed
done_testing
