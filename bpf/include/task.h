/* Reads fields of kernel structs without the kernel's headers: the offsets come from its BTF (bpf/kernel/btf.py). */

#include "ringtop.h"

#ifdef HAS_PROBE_READ_USER
#define read_kernel bpf_probe_read_kernel
#define read_kernel_str bpf_probe_read_kernel_str
#define read_user bpf_probe_read_user
#define read_user_str bpf_probe_read_user_str
#else
#define read_kernel bpf_probe_read
#define read_kernel_str bpf_probe_read_str
#define read_user bpf_probe_read
#define read_user_str bpf_probe_read_str
#endif

/* Copy the current thread's name. Some kernels, as 6.1, leave what follows its NUL as it was. */
static __always_inline void current_comm(char *comm)
{
	__builtin_memset(comm, 0, COMM_LEN);
	bpf_get_current_comm(comm, COMM_LEN);
}

static __always_inline u64 read_pointer(u64 base, u32 offset)
{
	u64 p = 0;

	read_kernel(&p, sizeof(p), (void *)(base + offset));
	return p;
}

static __always_inline u32 read_u32(u64 base, u32 offset)
{
	u32 w = 0;

	read_kernel(&w, sizeof(w), (void *)(base + offset));
	return w;
}

#ifdef BTF_OFFSETS

static __always_inline u32 parent_tgid(u64 task)
{
	return read_u32(read_pointer(task, TASK_REAL_PARENT), TASK_TGID);
}

/* Nanoseconds since the fork of the current process. */
static __always_inline u64 current_age(u64 now)
{
	return now - read_pointer(read_pointer(bpf_get_current_task(), TASK_LEADER), TASK_START);
}

PARAMETER(CONTROLLER);	/* of cgroup v1 whose hierarchy counts here, from 1 on; 0: the unified hierarchy counts */

/* The control group of a task. */
static __always_inline u64 group_of(u64 task)
{
	u64 set = read_pointer(task, TASK_CGROUPS);

	if (!CONTROLLER)
		return read_pointer(set, CSS_SET_DFL_CGRP);
	return read_pointer(read_pointer(set, CSS_SET_SUBSYS + (CONTROLLER - 1) * sizeof(u64)), CSS_CGROUP);
}

static __always_inline u64 group_id(u64 group)
{
	return read_pointer(read_pointer(group, CGROUP_KN), KERNFS_NODE_ID);
}

/* The id of the control group at a level above this one, or of this one. */
static __always_inline u64 ancestor_id(u64 group, u32 level)
{
	u64 found = read_pointer(group, CGROUP_ANCESTORS + level * sizeof(u64));

	return HAS_ANCESTORS ? group_id(found) : found;	/* before 6.1 the kernel has their ids there */
}

#else

static __always_inline u64 current_group_id(void)
{
#ifdef HAS_CGROUP_ID
	return bpf_get_current_cgroup_id();
#else
	return 0;	/* unknown */
#endif
}

static __always_inline u64 current_age(u64 now)
{
	return 0;	/* unknown */
}

#endif

#ifdef FOLLOW_FORKS
#include "parents.h"
#else
static __always_inline u32 current_parent(void)
{
#ifdef BTF_OFFSETS
	return parent_tgid(bpf_get_current_task());
#else
	return UNKNOWN;
#endif
}
#endif
