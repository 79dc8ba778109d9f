// SPDX-License-Identifier: GPL-2.0
/*
 * Crimes that the instruments of a debug kernel must find: without this nobody
 * would notice if they were blind. "insmod esptrack_crimes.ko crime=NAME" commits
 * one and then fails to load, so that the next can be committed; all of them are
 * such that the kernel can go on. For instruments.sh in the guest, nobody else.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/ref_tracker.h>
#include <linux/slab.h>
#include <linux/timer.h>

static char *crime = "";
module_param(crime, charp, 0);
MODULE_PARM_DESC(crime, "which one to commit");

/* Out of the compiler's sight, so that it neither warns nor helps. */
static noinline void *hidden(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static void use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	pr_info("%d\n", READ_ONCE(*(char *)hidden(p)));
}

static void shift(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	pr_info("%d\n", 1 << bits);
}

static void rcu_unlocked(void)
{
	static int __rcu *p;

	hidden(rcu_dereference(p));
}

static void lock_order(void)
{
	static DEFINE_SPINLOCK(one);
	static DEFINE_SPINLOCK(two);

	spin_lock(&one);
	spin_lock(&two);
	spin_unlock(&two);
	spin_unlock(&one);
	spin_lock(&two);
	spin_lock(&one);
	spin_unlock(&one);
	spin_unlock(&two);
}

static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void nothing(struct timer_list *timer)
{
}

static void free_active(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	kfree(timer);
}

static void list_add_twice(void)
{
	static LIST_HEAD(head);
	static LIST_HEAD(entry);

	list_add(&entry, &head);
	list_add(&entry, &head);
}

static void leak(void)
{
	int i;

	/* More than one: an old copy of a pointer may hide it. */
	for (i = 0; i < 16; i++)
		hidden(kmalloc(192, GFP_KERNEL));
}

static void lose_reference(void)
{
	struct ref_tracker_dir dir;
	struct ref_tracker *tracker;

#ifdef CRIMES_REF_TRACKER_NAMED
	ref_tracker_dir_init(&dir, 4, "crime");
#else
	ref_tracker_dir_init(&dir, 4);
#endif
	ref_tracker_alloc(&dir, &tracker, GFP_KERNEL);
	ref_tracker_dir_exit(&dir);
}

/* Two sides, and enough time for the instrument to look at the right moment. */
static long raced;

static int race_side(void *data)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static void race(void)
{
	struct task_struct *task = kthread_run(race_side, NULL, "crime");
	unsigned long end = jiffies + 10 * HZ;

	if (IS_ERR(task))
		return;
	while (time_before(jiffies, end)) {
		raced++;
		cond_resched();
	}
	kthread_stop(task);
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{ "use-after-free", use_after_free },
	{ "shift", shift },
	{ "rcu-unlocked", rcu_unlocked },
	{ "lock-order", lock_order },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "free-active", free_active },
	{ "list-add-twice", list_add_twice },
	{ "leak", leak },
	{ "lose-reference", lose_reference },
	{ "race", race },
};

static int __init crimes_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(crimes); i++) {
		if (!strcmp(crime, crimes[i].name)) {
			crimes[i].commit();
			return -ECANCELED;
		}
	}
	return -EINVAL;
}
module_init(crimes_init);

MODULE_DESCRIPTION("Crimes for the instruments of a debug kernel to find");
MODULE_AUTHOR("esptrack developers");
MODULE_LICENSE("GPL");
