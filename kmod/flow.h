/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_FLOW_H
#define ESPTRACK_FLOW_H

#include <linux/types.h>

struct esptrack_event;
struct esptrack_facts;
struct esptrack_packet;
struct esptrack_sa;

/**
 * struct esptrack_move - who moves
 * @by: the SA whose packet it is
 * @alone: of its flow only those with its reqid go with it
 */
struct esptrack_move {
	struct esptrack_sa *by;
	bool alone;
};

void esptrack_flow_facts(struct esptrack_move *move,
			 const struct esptrack_packet *packet,
			 struct esptrack_facts *facts);
bool esptrack_flow_move(const struct esptrack_move *move,
			const struct esptrack_facts *facts,
			struct esptrack_event *event);

#endif /* ESPTRACK_FLOW_H */
