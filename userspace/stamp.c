// SPDX-License-Identifier: GPL-2.0
/* The time of now, in the two forms that ip(8) has. */
#include <stdio.h>
#include <time.h>

#include "stamp.h"

struct stamp stamp_now(enum timestamp form)
{
	struct stamp stamp = { "" };
	struct timespec now;
	struct tm tm;
	char date[64];
	long usec;

	clock_gettime(CLOCK_REALTIME, &now);
	usec = now.tv_nsec / 1000;
	localtime_r(&now.tv_sec, &tm);
	if (form == TIMESTAMP_SHORT) {
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(stamp.text, sizeof(stamp.text), "%s.%06ld", date,
			 usec);
	} else {
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
		snprintf(stamp.text, sizeof(stamp.text), "%s %ld usec", date,
			 usec);
	}
	return stamp;
}
