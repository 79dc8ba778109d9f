/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_KNOB_H
#define ESPTRACK_KNOB_H

struct esptrack_sa;

void esptrack_knob_create(struct esptrack_sa *sa);
void esptrack_knob_destroy(struct esptrack_sa *sa);

int esptrack_knob_init(void);
void esptrack_knob_uninit(void);

#endif /* ESPTRACK_KNOB_H */
