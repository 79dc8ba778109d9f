// SPDX-License-Identifier: GPL-2.0
/*
 * udpencap: hold a UDP socket from which the kernel takes ESP, until ended. As
 * udpencap.py, for those who start a thousand of them.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esppeer.h"

int main(void)
{
	const struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(ESP_PORT),
	};
	int sock = socket(AF_INET, SOCK_DGRAM, 0);
	int kind = UDP_ENCAP_ESPINUDP;

	if (sock < 0 || bind(sock, (const struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(sock, IPPROTO_UDP, UDP_ENCAP, &kind, sizeof(kind)))
		err(1, "no socket");
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
