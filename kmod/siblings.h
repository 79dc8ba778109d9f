/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_SIBLINGS_H
#define ESPTRACK_SIBLINGS_H

#include <linux/types.h>

struct esptrack_flow;
struct esptrack_sa;

bool esptrack_siblings_inherit(struct esptrack_sa *sa);
bool esptrack_siblings_return(struct esptrack_sa *sa,
			      const struct esptrack_flow *was,
			      const struct esptrack_flow *origin);
bool esptrack_siblings_reunite(struct esptrack_sa *sa);
void esptrack_siblings_bereave(const struct esptrack_sa *sa);
bool esptrack_siblings_are_together(const struct esptrack_sa *sa);

#endif /* ESPTRACK_SIBLINGS_H */
