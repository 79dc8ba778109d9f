/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_PEER_H
#define ESPTRACK_PEER_H

#include <linux/types.h>

struct esptrack_endpoint;
struct esptrack_sa;

void esptrack_peer_assign(struct esptrack_sa *sa);
void esptrack_peer_succeed(struct esptrack_sa *sa, const struct esptrack_sa *other);
bool esptrack_peer_has_moved(const struct esptrack_sa *sa);
u64 esptrack_peer_visit(void);
bool esptrack_peer_shares_reqid(const struct esptrack_sa *sa, u64 peer);
bool esptrack_peer_leaves_behind(const struct esptrack_sa *sa,
				 const struct esptrack_sa *by, u64 visit);
void esptrack_peer_moved_by(struct esptrack_sa *sa,
			    const struct esptrack_sa *by,
			    const struct esptrack_endpoint *from, u64 now);
void esptrack_peer_moved_itself(struct esptrack_sa *sa);
bool esptrack_peer_left_lately(const struct esptrack_sa *sa,
			       const struct esptrack_endpoint *source, u64 now);
bool esptrack_peer_contradicts(const struct esptrack_sa *sa,
			       const struct esptrack_endpoint *source,
			       u64 accepted);
void esptrack_peer_split(struct esptrack_sa *sa);

#endif /* ESPTRACK_PEER_H */
