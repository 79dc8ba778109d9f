/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STAMP_H
#define STAMP_H

#include "esptrack.h"

struct stamp {
	char text[96];
};

struct stamp stamp_now(enum timestamp form);

#endif
