/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_KM_H
#define ESPTRACK_KM_H

void esptrack_km_init(void);
void esptrack_km_uninit(void);

#endif /* ESPTRACK_KM_H */
