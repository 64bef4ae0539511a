/* Who is whose parent, where no BTF tells where the kernel keeps that: every fork is followed, and user space adds the
 * processes that were there before. An entry lives as long as its process: a child whose parent is gone has another one
 * now, which only the kernel knows, so that is unknown here. LRU: what finds no room is unknown, too. */

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
