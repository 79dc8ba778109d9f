// SPDX-License-Identifier: GPL-2.0
/*
 * espflood [--gateway A] [--first I] [--cpu C] [--place P] N: until ended, the peers
 * I to I + N - 1 in turn send a ping, each time from another place, or always from P.
 * As "esppeers.py flood", only faster. Prints "ready", and at the end how many were
 * sent, as JSON.
 *
 * What the kernel does not take is not sent: the way to the gateway may be gone
 * for a while.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "esppeer.h"
#include "random.h"

#define BATCH	32

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = true;
}

/**
 * struct flood - what is sent
 * @sock: raw socket
 * @gateway: to whom
 * @peers: who sends
 * @n: how many
 * @next: whose turn it is
 * @place: where from; -1: from any
 * @random: of all places
 * @packets: one batch
 * @iovecs: their places
 * @messages: the same for sendmmsg()
 */
struct flood {
	int sock;
	struct sockaddr_in gateway;
	struct esppeer *peers;
	unsigned int n;
	unsigned int next;
	int place;
	struct random random;
	struct esppacket packets[BATCH];
	struct iovec iovecs[BATCH];
	struct mmsghdr messages[BATCH];
};

static void fill(struct flood *flood, unsigned int i)
{
	struct esppeer *peer = &flood->peers[flood->next];
	struct esppacket *packet = &flood->packets[i];
	struct in_addr from;
	uint16_t port;
	size_t size;

	flood->next = (flood->next + 1) % flood->n;
	esppeer_place(peer, flood->place >= 0 ? (unsigned int)flood->place :
		      random_below(&flood->random, ESP_PLACES), &from, &port);
	size = esppeer_ping(peer, packet->esp);
	size = esppeer_seal(peer, packet->esp, size);
	esppacket_headers(packet, size, from, port, flood->gateway.sin_addr);

	flood->iovecs[i].iov_base = packet;
	flood->iovecs[i].iov_len = ESPPACKET_HEADERS + size;
	flood->messages[i].msg_hdr = (struct msghdr) {
		.msg_name = &flood->gateway,
		.msg_namelen = sizeof(flood->gateway),
		.msg_iov = &flood->iovecs[i],
		.msg_iovlen = 1,
	};
}

static void run(struct flood *flood)
{
	unsigned long sent = 0, refused = 0;
	unsigned int i;
	int done;

	while (!ended) {
		for (i = 0; i < BATCH; i++)
			fill(flood, i);
		for (i = 0; i < BATCH && !ended; i += done) {
			done = sendmmsg(flood->sock, flood->messages + i,
					BATCH - i, 0);
			if (done > 0) {
				sent += done;
				continue;
			}
			/* The first one was not taken. */
			done = 1;
			refused++;
		}
	}
	printf("{\"sent\": %lu, \"not_taken\": %lu}\n", sent, refused);
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "processor %d", cpu);
}

static struct flood flood = {
	.gateway = { .sin_family = AF_INET },
	.place = -1,
};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "gateway", required_argument, NULL, 'g' },
		{ "first", required_argument, NULL, 'f' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "place", required_argument, NULL, 'p' },
		{ }
	};
	const struct sigaction action = { .sa_handler = end };
	const char *gateway = "10.128.0.2";
	unsigned int first = 1, i;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'g':
			gateway = optarg;
			break;
		case 'f':
			first = atoi(optarg);
			break;
		case 'c':
			on_cpu(atoi(optarg));
			break;
		case 'p':
			flood.place = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 1 || atoi(argv[optind]) <= 0 ||
	    !inet_aton(gateway, &flood.gateway.sin_addr))
		errx(2, "usage: espflood [--gateway A] [--first I] [--cpu C] [--place P] N");

	flood.n = atoi(argv[optind]);
	flood.random.state = time(NULL);
	flood.peers = calloc(flood.n, sizeof(*flood.peers));
	flood.sock = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (!flood.peers || flood.sock < 0)
		err(1, "no socket");
	for (i = 0; i < flood.n; i++)
		esppeer_init(&flood.peers[i], first + i);
	sigaction(SIGTERM, &action, NULL);
	puts("ready");
	fflush(stdout);
	run(&flood);
	return 0;
}
