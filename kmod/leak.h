/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_LEAK_H
#define ESPTRACK_LEAK_H

#include "sa.h"

bool esptrack_leak_found(struct esptrack_sa *sa);
void esptrack_leak_delete(struct xfrm_state *x);

#endif /* ESPTRACK_LEAK_H */
