/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_HOOK_H
#define ESPTRACK_HOOK_H

struct xfrm_state;

int esptrack_hook_attach(struct xfrm_state *x);
void esptrack_hook_detach(struct xfrm_state *x);
void esptrack_hook_uninit(void);

#endif /* ESPTRACK_HOOK_H */
