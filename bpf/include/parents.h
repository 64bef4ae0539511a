/* The parent of each process, for kernels without BTF, where the offset of the kernel's own field is not known. The map
 * is kept by following forks and exits; user space adds the processes that ran before. When a parent exits, the kernel
 * gives its children another parent, which is not visible here, so theirs becomes unknown. The map is LRU: an evicted
 * entry is unknown, too. */

#define CLONE_PARENT 0x8000	/* include/uapi/linux/sched.h */
#define CLONE_THREAD 0x10000

LRU_HASH(parents, u32, u32);

int on_fork(struct tracepoint__task__task_newtask *args)
{
	u32 child = args->pid, parent = bpf_get_current_pid_tgid() >> 32;

	if (args->clone_flags & CLONE_THREAD)
		return 0;
	if (args->clone_flags & CLONE_PARENT) {
		u32 *p = parents.lookup(&parent);

		if (!p)
			return 0;
		parent = *p;
	}
	parents.update(&child, &parent);
	return 0;
}

int on_task_exit(struct tracepoint__sched__sched_process_exit *args)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 tgid = id >> 32;

	if (tgid == (u32)id)
		parents.delete(&tgid);
	return 0;
}

static __always_inline u32 current_parent(void)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, *p = parents.lookup(&tgid);

	if (!p)
		return UNKNOWN;
	u32 parent = *p;

	return parents.lookup(&parent) ? parent : UNKNOWN;
}
