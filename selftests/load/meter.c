// SPDX-License-Identifier: GPL-2.0
/*
 * meter COMMAND...: run it with its output thrown away, and print as JSON how long it
 * took, its own time and the kernel's for it in seconds, and its greatest size in KiB.
 * As small as can be, for what a program takes of its parent counts as its own.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start = now();
	int status;
	pid_t pid;

	if (argc < 2)
		errx(2, "usage: meter COMMAND...");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		if (dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) < 0)
			err(1, "/dev/null");
		execvp(argv[1], argv + 1);
		err(1, "%s", argv[1]);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		err(1, "wait");
	if (status)
		errx(1, "%s failed", argv[1]);
	printf("{\"seconds\": %.3f, \"user\": %.3f, \"system\": %.3f, \"kib\": %ld}\n",
	       now() - start, seconds(usage.ru_utime), seconds(usage.ru_stime),
	       usage.ru_maxrss);
	return 0;
}
