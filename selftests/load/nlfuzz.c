// SPDX-License-Identifier: GPL-2.0
/*
 * nlfuzz [--deny] SEED COUNT SECONDS: requests to the esptrack family of this
 * namespace, most of them wrong in some way.
 *
 * Whatever is sent must be answered, and what the kernel says must be true: only a
 * request that it has acknowledged may have changed anything, and then just what
 * it asked for. So there is a model of the switches here, made of what the kernel
 * has acknowledged, and now and then all that the kernel shows is compared with it.
 * Requests that are right must be acknowledged. With --deny nothing may be.
 *
 * Prints JSON: how many were sent, acknowledged, refused; fails at the first wrong
 * answer, and shows the request.
 */
#include <err.h>
#include <errno.h>
#include <linux/esptrack.h>
#include <linux/genetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "random.h"

#define BETWEEN_LOOKS	2048
#define MAX_SAS		256
#define MAX_REQIDS	8192
#define REQUEST_SIZE	65536

static struct random rnd;
static int sock;
static uint16_t family;
static uint32_t sequence;
static bool deny;
static unsigned long acknowledged, refused, unanswered;

/**
 * struct sa - an SA as the kernel shows it
 * @message: attributes
 * @size: of @message
 * @spi: as in @message
 * @local: as in @message
 * @reqid: as in @message
 * @switches: places of the two switches in @message
 */
struct sa {
	uint8_t message[1024];
	size_t size;
	uint32_t spi;
	uint32_t local;
	uint32_t reqid;
	uint8_t *switches[2];
};

/**
 * struct reqid - what is set for a reqid
 * @number: the reqid
 * @switches: 0, 1, or -1 for not set
 */
struct reqid {
	uint32_t number;
	int switches[2];
};

/**
 * struct state - all that the family shows
 * @n_sas: entries in @sas
 * @n_reqids: entries in @reqids
 * @sas: in the kernel's order
 * @reqids: by number
 */
struct state {
	unsigned int n_sas;
	unsigned int n_reqids;
	struct sa sas[MAX_SAS];
	struct reqid reqids[MAX_REQIDS];
};

static struct state model, shown;

/**
 * struct request - a message
 * @size: of @data that is sent
 * @data: begins with the header
 */
struct request {
	size_t size;
	union {
		struct nlmsghdr header;
		uint8_t data[REQUEST_SIZE];
	};
};

static struct request request;

static uint32_t below(uint32_t n)
{
	return random_below(&rnd, n);
}

static bool one_in(uint32_t n)
{
	return random_one_in(&rnd, n);
}

static void wrong(const char *what)
{
	size_t i;

	fprintf(stderr, "nlfuzz: %s, request %u:", what, sequence);
	for (i = 0; i < request.size && i < 512; i++)
		fprintf(stderr, " %02x", request.data[i]);
	fputc('\n', stderr);
	exit(1);
}

/* Attributes, as the kernel reads them: of two of a kind the last one counts. */

static const struct nlattr *find(const void *data, size_t size, uint16_t kind)
{
	const struct nlattr *found = NULL;
	const uint8_t *p = data;

	while (size >= NLA_HDRLEN) {
		const struct nlattr *attr = (const struct nlattr *)p;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > size)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == kind)
			found = attr;
		if (step > size)
			break;
		p += step;
		size -= step;
	}
	return found;
}

static const void *payload(const struct nlattr *attr)
{
	return (const uint8_t *)attr + NLA_HDRLEN;
}

/**
 * struct attrs - the attributes of a message
 * @data: the first of them
 * @size: of all
 */
struct attrs {
	const void *data;
	size_t size;
};

static struct attrs attrs_of(const struct nlmsghdr *message)
{
	return (struct attrs) {
		(const uint8_t *)NLMSG_DATA(message) + GENL_HDRLEN,
		message->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
	};
}

static const struct nlattr *find_in(const struct attrs *attrs, uint16_t kind)
{
	return find(attrs->data, attrs->size, kind);
}

static uint32_t u32_in(const struct attrs *attrs, uint16_t kind)
{
	const struct nlattr *attr = find_in(attrs, kind);
	uint32_t value = 0;

	if (attr && attr->nla_len == NLA_HDRLEN + sizeof(value))
		memcpy(&value, payload(attr), sizeof(value));
	return value;
}

static int u8_in(const struct attrs *attrs, uint16_t kind)
{
	const struct nlattr *attr = find_in(attrs, kind);

	return attr ? *(const uint8_t *)payload(attr) : -1;
}

/* What requests are made of. */

static void begin(uint8_t command, uint16_t flags)
{
	struct genlmsghdr genl = { .cmd = command, .version = 1 };

	request.header = (struct nlmsghdr) {
		.nlmsg_type = family,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
		.nlmsg_seq = ++sequence,
	};
	memcpy(request.data + NLMSG_HDRLEN, &genl, sizeof(genl));
	request.size = NLMSG_HDRLEN + GENL_HDRLEN;
}

static struct nlattr *put(uint16_t kind, const void *data, size_t size)
{
	struct nlattr *attr = (struct nlattr *)(request.data + request.size);

	attr->nla_type = kind;
	attr->nla_len = NLA_HDRLEN + size;
	memset((uint8_t *)attr + NLA_HDRLEN, 0, NLA_ALIGN(size));
	if (data)
		memcpy((uint8_t *)attr + NLA_HDRLEN, data, size);
	request.size += NLA_HDRLEN + NLA_ALIGN(size);
	return attr;
}

static void put_u32(uint16_t kind, uint32_t value)
{
	put(kind, &value, sizeof(value));
}

static void put_u8(uint16_t kind, uint8_t value)
{
	put(kind, &value, sizeof(value));
}

static void close_nest(struct nlattr *nest)
{
	nest->nla_len = request.data + request.size - (uint8_t *)nest;
}

static void finish(void)
{
	request.header.nlmsg_len = request.size;
}

static uint32_t some_reqid(void)
{
	return one_in(20) ? (uint32_t)random_u64(&rnd) | 1 : 1 + below(64);
}

/* A request that the kernel must grant, or at least understand. Returns whether
 * it must grant it.
 */
static bool make_right(void)
{
	const struct sa *sa = model.n_sas ? &model.sas[below(model.n_sas)] : NULL;
	/* A dump costs as much as a hundred others. */
	unsigned int kind = one_in(24) ? 4 + below(2) : below(4);

	if (kind < 2 && !sa)
		kind += 2;
	switch (kind) {
	case 0:
	case 1:
		begin(kind ? ESPTRACK_CMD_SA_SET : ESPTRACK_CMD_SA_GET, 0);
		put_u32(ESPTRACK_A_SA_SPI, sa->spi);
		put_u32(ESPTRACK_A_SA_LOCAL_IPV4, sa->local);
		if (kind)
			put_u8(one_in(2) ? ESPTRACK_A_SA_STATIC_NAT :
					   ESPTRACK_A_SA_PORT_ONLY, below(2));
		break;
	case 2:
		begin(ESPTRACK_CMD_REQID_SET, 0);
		put_u32(ESPTRACK_A_REQID_NUMBER, some_reqid());
		put_u8(one_in(2) ? ESPTRACK_A_REQID_STATIC_NAT :
				   ESPTRACK_A_REQID_PORT_ONLY, below(2));
		break;
	case 3:
		begin(ESPTRACK_CMD_REQID_DEL, 0);
		put_u32(ESPTRACK_A_REQID_NUMBER, model.n_reqids ?
			model.reqids[below(model.n_reqids)].number : 1);
		finish();
		return model.n_reqids;
	case 4:
		begin(ESPTRACK_CMD_SA_GET, NLM_F_DUMP);
		break;
	case 5:
		begin(ESPTRACK_CMD_REQID_GET, NLM_F_DUMP);
		break;
	}
	finish();
	return kind < 4;
}

static void make_nests(unsigned int depth)
{
	struct nlattr *nest = put(below(20) | NLA_F_NESTED, NULL, 0);
	unsigned int n = below(4);

	while (n--) {
		uint8_t noise[64];

		if (depth && one_in(2)) {
			make_nests(depth - 1);
			continue;
		}
		random_fill(&rnd, noise, sizeof(noise));
		put(below(24), noise, one_in(2) ? 4 : below(sizeof(noise)));
	}
	close_nest(nest);
}

/* Attributes of the right kinds with any content, in any order and number. */
static void make_mixture(void)
{
	struct nlattr *nest = NULL;
	unsigned int n = below(8);

	begin(below(14), one_in(24) ? NLM_F_DUMP : 0);
	if (one_in(4))
		nest = put(1 + below(3) + (one_in(10) ? 0 : NLA_F_NESTED), NULL, 0);
	while (n--) {
		const struct sa *sa = &model.sas[below(model.n_sas + 1)];

		switch (below(6)) {
		case 0:
			put_u32(ESPTRACK_A_SA_SPI, sa->spi);
			break;
		case 1:
			put_u32(ESPTRACK_A_SA_LOCAL_IPV4, sa->local);
			break;
		case 2:
			put_u8(below(20), below(4));
			break;
		case 3:
			put_u32(below(20), below(100));
			break;
		case 4:
			put(ESPTRACK_A_SA_LOCAL_IPV6, NULL, one_in(4) ? below(20) : 16);
			break;
		case 5:
			put(below(64), NULL, below(16));
			break;
		}
	}
	if (nest)
		close_nest(nest);
	finish();
}

static void make_noise(void)
{
	size_t size = below(one_in(50) ? 30000 : 200);

	begin(below(256), below(65536) & ~NLM_F_DUMP);
	random_fill(&rnd, request.data + request.size, size);
	request.size += size;
	finish();
}

/* A right one with something wrong in it. */
static void spoil(void)
{
	unsigned int n = 1 + below(3);
	size_t at;

	make_right();
	while (n--) {
		switch (below(5)) {
		case 0: /* a byte of command, attributes, or lengths */
			at = NLMSG_HDRLEN + below(request.size - NLMSG_HDRLEN);
			request.data[at] = random_u64(&rnd);
			break;
		case 1: /* a bit */
			at = NLMSG_HDRLEN + below(request.size - NLMSG_HDRLEN);
			request.data[at] ^= 1 << below(8);
			break;
		case 2: /* cut off */
			request.size -= below(request.size - NLMSG_HDRLEN);
			finish();
			break;
		case 3: /* more of it */
			random_fill(&rnd, request.data + request.size, 8);
			request.size += 1 + below(8);
			finish();
			break;
		case 4: /* the header promises more */
			request.header.nlmsg_len += below(64);
			break;
		}
	}
}

/* Returns whether the kernel must grant it. */
static bool make(void)
{
	switch (below(8)) {
	case 0:
		return make_right();
	case 1:
		begin(below(12), one_in(8) ? NLM_F_DUMP : 0);
		make_nests(below(12));
		finish();
		return false;
	case 2:
		make_noise();
		return false;
	case 3:
	case 4:
		make_mixture();
		return false;
	default:
		spoil();
		return false;
	}
}

/* The model */

static struct reqid *reqid_place(struct state *state, uint32_t number)
{
	struct reqid *reqid = state->reqids;

	while (reqid < state->reqids + state->n_reqids && reqid->number < number)
		reqid++;
	return reqid;
}

static bool reqid_is(const struct state *state, const struct reqid *reqid,
		     uint32_t number)
{
	return reqid < state->reqids + state->n_reqids && reqid->number == number;
}

static void switch_sa(const struct sa *sa, const int *switches)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (switches[i] >= 0)
			*sa->switches[i] = switches[i];
}

static void granted_sa_set(const struct attrs *attrs)
{
	const int switches[2] = {
		u8_in(attrs, ESPTRACK_A_SA_STATIC_NAT),
		u8_in(attrs, ESPTRACK_A_SA_PORT_ONLY),
	};
	uint32_t local = u32_in(attrs, ESPTRACK_A_SA_LOCAL_IPV4);
	uint32_t spi = u32_in(attrs, ESPTRACK_A_SA_SPI);
	unsigned int i;

	for (i = 0; i < model.n_sas; i++) {
		if (model.sas[i].spi == spi && model.sas[i].local == local) {
			switch_sa(&model.sas[i], switches);
			return;
		}
	}
	wrong("granted for an SA that is not there");
}

static void granted_reqid_set(const struct attrs *attrs)
{
	const int switches[2] = {
		u8_in(attrs, ESPTRACK_A_REQID_STATIC_NAT),
		u8_in(attrs, ESPTRACK_A_REQID_PORT_ONLY),
	};
	uint32_t number = u32_in(attrs, ESPTRACK_A_REQID_NUMBER);
	struct reqid *reqid = reqid_place(&model, number);
	unsigned int i;

	if (!reqid_is(&model, reqid, number)) {
		if (model.n_reqids == MAX_REQIDS)
			errx(1, "too many reqids");
		memmove(reqid + 1, reqid, (uint8_t *)(model.reqids + model.n_reqids) -
			(uint8_t *)reqid);
		model.n_reqids++;
		*reqid = (struct reqid){ number, { -1, -1 } };
	}
	for (i = 0; i < 2; i++)
		if (switches[i] >= 0)
			reqid->switches[i] = switches[i];
	for (i = 0; i < model.n_sas; i++)
		if (model.sas[i].reqid == number)
			switch_sa(&model.sas[i], switches);
}

static void granted_reqid_del(const struct attrs *attrs)
{
	uint32_t number = u32_in(attrs, ESPTRACK_A_REQID_NUMBER);
	struct reqid *reqid = reqid_place(&model, number);

	if (!reqid_is(&model, reqid, number))
		wrong("granted for a reqid that is not there");
	memmove(reqid, reqid + 1, (uint8_t *)(model.reqids + model.n_reqids) -
		(uint8_t *)(reqid + 1));
	model.n_reqids--;
}

static void take_granted(void)
{
	const struct genlmsghdr *genl =
		(const void *)(request.data + NLMSG_HDRLEN);
	const struct attrs attrs = attrs_of(&request.header);

	if (deny)
		wrong("granted to somebody without privilege");
	switch (genl->cmd) {
	case ESPTRACK_CMD_SA_GET:
	case ESPTRACK_CMD_REQID_GET:
	case ESPTRACK_CMD_STATS_GET:
	case ESPTRACK_CMD_CONF_GET:
	/* Holds for SAs to come, and none does. */
	case ESPTRACK_CMD_CONF_SET:
		break;
	case ESPTRACK_CMD_SA_SET:
		granted_sa_set(&attrs);
		break;
	case ESPTRACK_CMD_REQID_SET:
		granted_reqid_set(&attrs);
		break;
	case ESPTRACK_CMD_REQID_DEL:
		granted_reqid_del(&attrs);
		break;
	default:
		wrong("granted, but there is no such command");
	}
}

/* Answers */

typedef void (*message_fn)(const struct nlmsghdr *message);

/* One buffer full of answers. Returns false if there are none. @result becomes an
 * error, 0, or 1 for the end of a dump.
 */
static bool answers(int flags, message_fn each, int *result)
{
	static uint8_t buffer[1 << 16];
	const struct nlmsghdr *message = (const void *)buffer;
	ssize_t size = recv(sock, buffer, sizeof(buffer), flags);
	bool any = size > 0;

	if (size < 0 && errno != EAGAIN && errno != ENOBUFS)
		err(1, "recv");
	for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
		if (message->nlmsg_seq != sequence)
			wrong("the answer is to another request");
		if (message->nlmsg_type == NLMSG_ERROR)
			*result = *(const int *)NLMSG_DATA(message);
		else if (message->nlmsg_type == NLMSG_DONE)
			*result = *(const int *)NLMSG_DATA(message) ?: 1;
		else if (each)
			each(message);
	}
	return any;
}

static void shown_sa(const struct nlmsghdr *message)
{
	struct attrs from = attrs_of(message), here, *attrs = &here;
	struct sa *sa = &shown.sas[shown.n_sas];

	sa->size = from.size;
	if (shown.n_sas == MAX_SAS - 1 || sa->size > sizeof(sa->message))
		errx(1, "too many SAs");
	memcpy(sa->message, from.data, sa->size);
	here = (struct attrs) { sa->message, sa->size };
	sa->spi = u32_in(attrs, ESPTRACK_A_SA_SPI);
	sa->local = u32_in(attrs, ESPTRACK_A_SA_LOCAL_IPV4);
	sa->reqid = u32_in(attrs, ESPTRACK_A_SA_REQID);
	sa->switches[0] = (void *)payload(find_in(attrs, ESPTRACK_A_SA_STATIC_NAT));
	sa->switches[1] = (void *)payload(find_in(attrs, ESPTRACK_A_SA_PORT_ONLY));
	shown.n_sas++;
}

static void shown_reqid(const struct nlmsghdr *message)
{
	const struct attrs from = attrs_of(message), *attrs = &from;

	if (shown.n_reqids == MAX_REQIDS)
		errx(1, "too many reqids");
	shown.reqids[shown.n_reqids++] = (struct reqid) {
		u32_in(attrs, ESPTRACK_A_REQID_NUMBER),
		{ u8_in(attrs, ESPTRACK_A_REQID_STATIC_NAT),
		  u8_in(attrs, ESPTRACK_A_REQID_PORT_ONLY) },
	};
}

static void transmit(void)
{
	if (send(sock, request.data, request.size, 0) < 0)
		err(1, "send");
}

static void dump_all(uint8_t command, message_fn each)
{
	int result = 0;

	begin(command, NLM_F_DUMP);
	finish();
	transmit();
	while (!result)
		answers(0, each, &result);
	if (result != 1)
		wrong("a dump is refused");
}

static void look(void)
{
	shown.n_sas = 0;
	shown.n_reqids = 0;
	dump_all(ESPTRACK_CMD_SA_GET, shown_sa);
	dump_all(ESPTRACK_CMD_REQID_GET, shown_reqid);
}

static void compare(void)
{
	unsigned int i;

	look();
	if (shown.n_sas != model.n_sas || shown.n_reqids != model.n_reqids)
		wrong("there are more SAs or reqids than there should be, or less");
	for (i = 0; i < model.n_sas; i++)
		if (shown.sas[i].size != model.sas[i].size ||
		    memcmp(shown.sas[i].message, model.sas[i].message,
			   model.sas[i].size))
			wrong("an SA is not as it should be");
	if (memcmp(shown.reqids, model.reqids,
		   model.n_reqids * sizeof(*model.reqids)))
		wrong("a reqid is not as it should be");
}

static void take_model(void)
{
	unsigned int i;

	look();
	model = shown;
	for (i = 0; i < 2 * model.n_sas; i++) {
		struct sa *sa = &model.sas[i / 2];
		size_t at = sa->switches[i % 2] - shown.sas[i / 2].message;

		sa->switches[i % 2] = sa->message + at;
	}
}

/* The kernel answers before send() returns; the rest of a dump comes as it is
 * read.
 */
static void send_one(void)
{
	bool right = make(), whole;
	int result = 2;

	whole = request.header.nlmsg_len <= request.size &&
		request.header.nlmsg_flags & NLM_F_REQUEST;
	transmit();
	while (answers(MSG_DONTWAIT, NULL, &result))
		;
	if (result == 2) {
		unanswered++;
		if (whole && request.header.nlmsg_flags & NLM_F_ACK)
			wrong("no answer");
		return;
	}
	if (!whole)
		wrong("an answer to less than a request");
	if (result < 0) {
		refused++;
		if (right && !deny)
			wrong("a good request is refused");
		return;
	}
	acknowledged++;
	if (!result)
		take_granted();
	else if (deny)
		wrong("shown to somebody without privilege");
}

static void family_found(const struct nlmsghdr *message)
{
	const uint8_t *attrs = (const uint8_t *)NLMSG_DATA(message) + GENL_HDRLEN;
	const struct nlattr *id =
		find(attrs, message->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
		     CTRL_ATTR_FAMILY_ID);

	if (id)
		memcpy(&family, payload(id), sizeof(family));
}

static void find_family(void)
{
	int result = 2;

	family = GENL_ID_CTRL;
	begin(CTRL_CMD_GETFAMILY, 0);
	put(CTRL_ATTR_FAMILY_NAME, ESPTRACK_FAMILY_NAME, sizeof(ESPTRACK_FAMILY_NAME));
	finish();
	transmit();
	while (result == 2)
		answers(0, family_found, &result);
	if (result || family == GENL_ID_CTRL)
		errx(1, "no family");
}

int main(int argc, char **argv)
{
	unsigned long count, i;
	int size = 1 << 22;
	time_t end;

	if (argc > 1 && !strcmp(argv[1], "--deny")) {
		deny = true;
		argc--;
		argv++;
	}
	if (argc != 4)
		errx(2, "usage: nlfuzz [--deny] SEED COUNT SECONDS");
	rnd.state = strtoull(argv[1], NULL, 0);
	count = strtoul(argv[2], NULL, 0);
	end = time(NULL) + atoi(argv[3]);

	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (sock < 0)
		err(1, "no socket");
	setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	size = 1;
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &size, sizeof(size));
	setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &size, sizeof(size));

	find_family();
	if (!deny)
		take_model();
	for (i = 0; i < count && (i % 64 || time(NULL) < end); i++) {
		send_one();
		if (!deny && i % BETWEEN_LOOKS == BETWEEN_LOOKS - 1)
			compare();
	}
	if (!deny)
		compare();
	find_family();
	printf("{\"done\": %lu, \"acknowledged\": %lu, \"refused\": %lu, \"unanswered\": %lu}\n",
	       i, acknowledged, refused, unanswered);
	return 0;
}
