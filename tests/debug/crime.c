// SPDX-License-Identifier: GPL-2.0
/*
 * Does on purpose, when it is loaded, what the debug kernel exists to notice: the
 * parameter 'crime' says what. For a disposable VM alone (tests/debug/run).
 */
#include <linux/cleanup.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *crime = "none";
module_param(crime, charp, 0);
MODULE_PARM_DESC(crime, "out-of-bounds, lock-inversion, leak or atomic-sleep");

static void crime_out_of_bounds(void)
{
	size_t size = 13;
	char *bytes = kzalloc(size, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(size);	/* or the compiler would notice */
	if (bytes)
		bytes[size] = 1;
	kfree(bytes);
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

/* No other task takes part: that the orders differ is enough. */
static void crime_lock_inversion(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/* Several: a stale copy of one pointer may well lie about. */
static void crime_leak(void)
{
	int i;

	for (i = 0; i < 8; i++) {
		void *lost = kzalloc(1000, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
}

static DEFINE_SPINLOCK(spin);

static void crime_atomic_sleep(void)
{
	guard(spinlock)(&spin);
	kfree(kmalloc(1000, GFP_KERNEL));
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{ "out-of-bounds", crime_out_of_bounds },
	{ "lock-inversion", crime_lock_inversion },
	{ "leak", crime_leak },
	{ "atomic-sleep", crime_atomic_sleep },
};

static int __init crime_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(crimes); i++) {
		if (strcmp(crime, crimes[i].name))
			continue;
		crimes[i].commit();
		return 0;
	}
	return -EINVAL;
}

static void __exit crime_exit(void)
{
}

module_init(crime_init);
module_exit(crime_exit);
MODULE_DESCRIPTION("Faults that a debug kernel must notice");
MODULE_LICENSE("GPL");
