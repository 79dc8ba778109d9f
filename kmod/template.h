/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_TEMPLATE_H
#define ESPTRACK_TEMPLATE_H

#include <net/xfrm.h>

bool esptrack_template_names_addresses(const struct xfrm_tmpl *tmpl);
xfrm_address_t *esptrack_template_remote(struct xfrm_tmpl *tmpl, bool output,
					 const struct xfrm_state *x,
					 const xfrm_address_t *local);

#endif /* ESPTRACK_TEMPLATE_H */
