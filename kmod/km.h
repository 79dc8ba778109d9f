/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_KM_H
#define ESPTRACK_KM_H

struct net;
struct xfrm_state;

void esptrack_km_walk(struct net *net);
void esptrack_km_announce(struct xfrm_state *x);
void esptrack_km_init(void);
void esptrack_km_uninit(void);

#endif /* ESPTRACK_KM_H */
