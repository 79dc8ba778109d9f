// SPDX-License-Identifier: GPL-2.0
/* SPIs, always written in full, as ip-xfrm(8) does. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "spi.h"

struct spi_text spi_text(uint32_t spi)
{
	struct spi_text text;

	snprintf(text.text, sizeof(text.text), "0x%08" PRIx32, spi);
	return text;
}

struct json_object *spi_json(uint32_t spi)
{
	return json_object_new_string(spi_text(spi).text);
}
