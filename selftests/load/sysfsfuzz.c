// SPDX-License-Identifier: GPL-2.0
/*
 * sysfsfuzz SEED COUNT SECONDS DIRECTORY: write random things to the files of an
 * SA's directory, and read from them at random places.
 *
 * What a switch takes is known: a number that is 0 or 1, as the kernel reads
 * numbers. Everything else must be refused, and the file then say what it said
 * before. What cannot be written must stay as it is. Prints JSON: how much was
 * done and what of it was taken; fails at the first wrong answer.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

#define SWITCHES	2

/* The switches first. */
static const char *const names[] = {
	"static_nat", "port_only", "endpoint", "reqid", "outbound", "moves", "refused",
};

#define FILES	(sizeof(names) / sizeof(*names))
#define MOST	4096

/**
 * struct knob - a file
 * @fd: open for reading, and for writing where that is possible
 * @text: what it must say
 * @size: of @text
 */
struct knob {
	int fd;
	char text[MOST];
	ssize_t size;
};

static struct knob knobs[FILES];
static struct random rnd;
static unsigned long taken, refused, read_at;

/* As kstrtou8() of a text that ends with its size, or before. */
static int meaning(const char *text, size_t size)
{
	const char *end = memchr(text, 0, size);
	unsigned long value = 0;

	if (end)
		size = end - text;
	if (size && *text == '+') {
		text++;
		size--;
	}
	if (size && text[size - 1] == '\n')
		size--;
	if (!size)
		return -1;
	for (; size; text++, size--) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + *text - '0';
		if (value > 255)
			return -1;
	}
	return value > 1 ? -1 : (int)value;
}

static size_t something(char *text)
{
	static const char alphabet[] = "0011 +-\n\t2x9a";
	size_t size = random_below(&rnd, 8), i;

	if (random_one_in(&rnd, 50))
		size = random_below(&rnd, MOST);
	if (random_one_in(&rnd, 4)) {
		random_fill(&rnd, text, size);
		return size;
	}
	for (i = 0; i < size; i++)
		text[i] = alphabet[random_below(&rnd, sizeof(alphabet) - 1)];
	return size;
}

static void write_one(struct knob *knob, const char *name)
{
	char text[MOST];
	size_t size = something(text);
	int value = meaning(text, size);
	ssize_t done = pwrite(knob->fd, text, size, 0);

	/* Nothing is nothing, and does not reach the module. */
	if (!size)
		return;
	if (value >= 0) {
		if (done != (ssize_t)size)
			err(1, "%s: %d is not taken", name, value);
		knob->text[0] = '0' + value;
		taken++;
		return;
	}
	if (done >= 0 || errno != EINVAL)
		errx(1, "%s: nonsense is answered by %zd", name, done);
	refused++;
}

static void read_one(struct knob *knob, const char *name)
{
	char text[MOST];
	size_t size = random_below(&rnd, sizeof(text));
	ssize_t at = random_below(&rnd, 2 * knob->size + 1);
	ssize_t want = knob->size > at ? knob->size - at : 0;
	ssize_t got = pread(knob->fd, text, size, at);

	if (want > (ssize_t)size)
		want = size;
	if (got != want || memcmp(text, knob->text + at, want))
		errx(1, "%s: %zd bytes from %zd on are wrong", name, got, at);
	read_at++;
}

int main(int argc, char **argv)
{
	unsigned long count, i;
	time_t end;
	size_t n;

	if (argc != 5)
		errx(2, "usage: sysfsfuzz SEED COUNT SECONDS DIRECTORY");
	rnd.state = strtoull(argv[1], NULL, 0);
	count = strtoul(argv[2], NULL, 0);
	end = time(NULL) + atoi(argv[3]);
	if (chdir(argv[4]))
		err(1, "%s", argv[4]);

	for (n = 0; n < FILES; n++) {
		struct knob *knob = &knobs[n];

		knob->fd = open(names[n], n < SWITCHES ? O_RDWR : O_RDONLY);
		if (knob->fd < 0)
			err(1, "%s", names[n]);
		knob->size = pread(knob->fd, knob->text, sizeof(knob->text), 0);
		if (knob->size < 0)
			err(1, "%s", names[n]);
	}
	for (i = 0; i < count && (i % 1024 || time(NULL) < end); i++) {
		n = random_below(&rnd, FILES);
		if (n < SWITCHES && !random_one_in(&rnd, 3))
			write_one(&knobs[n], names[n]);
		else
			read_one(&knobs[n], names[n]);
	}
	printf("{\"done\": %lu, \"taken\": %lu, \"refused\": %lu, \"read\": %lu}\n",
	       i, taken, refused, read_at);
	return 0;
}
