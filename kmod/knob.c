// SPDX-License-Identifier: GPL-2.0
/*
 * The knob: a directory in sysfs for each inbound SA, seen in the network
 * namespace of the SA only.
 *
 *	/sys/kernel/esptrack/0x<spi>@<local address>[,mark=0x<value>,mask=0x<mask>]/
 */
#include "knob.h"

#include <linux/kobject.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "net.h"
#include "sa.h"
#include "switches.h"

/**
 * struct esptrack_knob - directory of an SA
 * @kobj: the directory
 * @sa: the SA; it outlives the directory
 */
struct esptrack_knob {
	struct kobject kobj;
	struct esptrack_sa *sa;
};

static const struct esptrack_knob *to_knob(const struct kobject *kobj)
{
	return container_of(kobj, struct esptrack_knob, kobj);
}

/* A deleted SA is kept for a moment; it says so meanwhile. */
static int knob_inform(const struct kobject *kobj,
		       struct esptrack_sa_info *info)
{
	const struct esptrack_sa *sa = to_knob(kobj)->sa;
	int err = 0;

	spin_lock_bh(&esptrack_lock);
	if (esptrack_sa_is_dead(sa))
		err = -ENODEV;
	else
		esptrack_sa_inform(sa, info);
	spin_unlock_bh(&esptrack_lock);

	return err;
}

static int print_static_nat(char *buf, const struct esptrack_sa_info *info)
{
	return sysfs_emit(buf, "%d\n", info->static_nat);
}

static int print_port_only(char *buf, const struct esptrack_sa_info *info)
{
	return sysfs_emit(buf, "%d\n", info->port_only);
}

static int print_endpoint(char *buf, const struct esptrack_sa_info *info)
{
	int len = esptrack_endpoint_print(buf, PAGE_SIZE, &info->remote);

	return len + sysfs_emit_at(buf, len, "\n");
}

static int print_reqid(char *buf, const struct esptrack_sa_info *info)
{
	return sysfs_emit(buf, "%u\n", info->reqid);
}

static int print_outbound(char *buf, const struct esptrack_sa_info *info)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < info->n_outbound; i++)
		len += sysfs_emit_at(buf, len, "0x%08x\n",
				     ntohl(info->outbound[i]));
	return len;
}

static int print_moves(char *buf, const struct esptrack_sa_info *info)
{
	return sysfs_emit(buf, "%llu\n", info->moves);
}

static int print_refused(char *buf, const struct esptrack_sa_info *info)
{
	return sysfs_emit(buf, "%llu\n", info->refused);
}

/**
 * struct knob_attribute - file of the directory
 * @attr: name and mode
 * @print: writes its value
 */
struct knob_attribute {
	struct attribute attr;
	int (*print)(char *buf, const struct esptrack_sa_info *info);
};

#define KNOB(file, perm) \
	static struct knob_attribute knob_##file = { \
		.attr = { .name = #file, .mode = perm }, \
		.print = print_##file, \
	}

KNOB(static_nat, 0600);
KNOB(port_only, 0600);
KNOB(endpoint, 0400);
KNOB(reqid, 0400);
KNOB(outbound, 0400);
KNOB(moves, 0400);
KNOB(refused, 0400);

static struct attribute *knob_attrs[] = {
	&knob_static_nat.attr,
	&knob_port_only.attr,
	&knob_endpoint.attr,
	&knob_reqid.attr,
	&knob_outbound.attr,
	&knob_moves.attr,
	&knob_refused.attr,
	NULL
};
ATTRIBUTE_GROUPS(knob);

static ssize_t knob_show(struct kobject *kobj, struct attribute *attr,
			 char *buf)
{
	const struct knob_attribute *knob =
		container_of(attr, struct knob_attribute, attr);
	struct esptrack_sa_info info;
	int err;

	err = knob_inform(kobj, &info);
	if (err)
		return err;
	return knob->print(buf, &info);
}

/* Only the two switches can be written to. The mode of the file is not enough: it
 * may have been opened by somebody else, as for /sys/class/net.
 */
static ssize_t knob_store(struct kobject *kobj, struct attribute *attr,
			  const char *buf, size_t size)
{
	struct esptrack_sa *sa = to_knob(kobj)->sa;
	struct esptrack_switches switches;
	bool dead;
	u8 value;

	if (!ns_capable(sa->flow.net->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (kstrtou8(buf, 10, &value) || value > 1)
		return -EINVAL;

	switches.given = attr == &knob_static_nat.attr ?
			 ESPTRACK_SWITCH_STATIC_NAT : ESPTRACK_SWITCH_PORT_ONLY;
	switches.on = value ? switches.given : 0;

	spin_lock_bh(&esptrack_lock);
	dead = esptrack_sa_is_dead(sa);
	if (!dead)
		esptrack_switches_set(sa, &switches);
	spin_unlock_bh(&esptrack_lock);

	return dead ? -ENODEV : size;
}

static const struct sysfs_ops knob_sysfs_ops = {
	.show = knob_show,
	.store = knob_store,
};

static void knob_free(struct kobject *kobj)
{
	kfree(container_of(kobj, struct esptrack_knob, kobj));
}

static esptrack_kobj_ns knob_namespace(esptrack_const_kobject *kobj)
{
	return esptrack_net_kobj_ns(to_knob(kobj)->sa->flow.net->net);
}

static void knob_ownership(esptrack_const_kobject *kobj, kuid_t *uid,
			   kgid_t *gid)
{
	net_ns_get_ownership(to_knob(kobj)->sa->flow.net->net, uid, gid);
}

static const struct kobj_type knob_type = {
	.release = knob_free,
	.sysfs_ops = &knob_sysfs_ops,
	.default_groups = knob_groups,
	.namespace = knob_namespace,
	.get_ownership = knob_ownership,
};

/* The directory of the knobs shows those of the reader's namespace. */
static const struct kobj_ns_type_operations *
root_child_ns_type(esptrack_const_kobject *kobj)
{
	return &net_ns_type_operations;
}

static void root_free(struct kobject *kobj)
{
	kfree(kobj);
}

static const struct kobj_type root_type = {
	.release = root_free,
	.sysfs_ops = &kobj_sysfs_ops,
	.child_ns_type = root_child_ns_type,
};

static struct kobject *root;

static int knob_name(const struct xfrm_state *x, char *buf, size_t size)
{
	int len = scnprintf(buf, size, "0x%08x@", ntohl(x->id.spi));

	if (x->props.family == AF_INET)
		len += scnprintf(buf + len, size - len, "%pI4",
				 &x->id.daddr.a4);
	else
		len += scnprintf(buf + len, size - len, "%pI6c",
				 &x->id.daddr.in6);
	/* SAs may differ in nothing but their mark. */
	if (x->mark.v || x->mark.m)
		len += scnprintf(buf + len, size - len, ",mark=0x%x,mask=0x%x",
				 x->mark.v, x->mark.m);
	return len;
}

/**
 * esptrack_knob_create() - make the directory of an SA
 * @sa: an inbound SA
 *
 * Without memory there is none; the SA can still be set over netlink.
 *
 * Context: process, esptrack_net.mutex held.
 */
void esptrack_knob_create(struct esptrack_sa *sa)
{
	struct esptrack_knob *knob;
	char name[96];
	int err;

	lockdep_assert_held(&sa->flow.net->mutex);

	knob = kzalloc(sizeof(*knob), GFP_KERNEL);
	if (!knob)
		return;

	spin_lock_bh(&esptrack_lock);
	knob_name(sa->x, name, sizeof(name));
	spin_unlock_bh(&esptrack_lock);

	knob->sa = sa;
	err = kobject_init_and_add(&knob->kobj, &knob_type, root, "%s", name);
	if (err) {
		kobject_put(&knob->kobj);
		return;
	}
	sa->knob = knob;
}

/**
 * esptrack_knob_destroy() - remove the directory of an SA, if it has one
 * @sa: the SA
 *
 * Waits for those who read or write its files.
 *
 * Context: process, esptrack_net.mutex held.
 */
void esptrack_knob_destroy(struct esptrack_sa *sa)
{
	struct esptrack_knob *knob = sa->knob;

	lockdep_assert_held(&sa->flow.net->mutex);

	if (!knob)
		return;

	sa->knob = NULL;
	kobject_del(&knob->kobj);
	kobject_put(&knob->kobj);
}

int esptrack_knob_init(void)
{
	int err;

	root = kzalloc(sizeof(*root), GFP_KERNEL);
	if (!root)
		return -ENOMEM;

	err = kobject_init_and_add(root, &root_type, kernel_kobj, "esptrack");
	if (err)
		kobject_put(root);
	return err;
}

void esptrack_knob_uninit(void)
{
	kobject_put(root);
}
