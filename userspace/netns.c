// SPDX-License-Identifier: GPL-2.0
/* Network namespaces, named as ip-netns(8) does. */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"

/*
 * Only sockets that are opened afterwards belong to the namespace. @name with a
 * slash is a path. Returns -1 after a message.
 */
int netns_enter(const char *name)
{
	char path[PATH_MAX];
	int len, fd, ret;

	len = snprintf(path, sizeof(path), "%s%s",
		       strchr(name, '/') ? "" : "/var/run/netns/", name);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		warnx("the name of the network namespace is too long");
		return -1;
	}

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		warn("network namespace \"%s\"", name);
		return -1;
	}
	ret = setns(fd, CLONE_NEWNET);
	if (ret < 0)
		warn("cannot enter network namespace \"%s\"", name);
	close(fd);
	return ret;
}
