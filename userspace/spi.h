/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SPI_H
#define SPI_H

#include <stdint.h>

struct json_object;

struct spi_text {
	char text[sizeof("0xffffffff")];
};

struct spi_text spi_text(uint32_t spi);
struct json_object *spi_json(uint32_t spi);

#endif
