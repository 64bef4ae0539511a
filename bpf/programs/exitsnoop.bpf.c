/* Reports processes that ended: how, and how long they ran. */

#include "emit.h"

#define SIGNAL_GROUP_EXIT 4	/* include/linux/sched/signal.h */
#define CORE_DUMPED 0x80

struct exitsnoop_event {
	struct event h;
	u64 ran, age;
	s16 status;	/* the exit code, or the signal as a negative number */
	u16 core;
	u32 late;	/* 0 here; the reader uses it */
};

/* The time of the last exec under each process id, or 0. */
BPF_ARRAY(exec_at, u64, ENTRIES(exec_at));
BPF_PERCPU_ARRAY(scratch, struct exitsnoop_event, 1);

/* Processes with several threads that have been reported. LRU: nobody deletes them. */
struct process {
	u64 start, pid;
};

LRU_HASH(ended, struct process, u32);

int on_exec(struct bpf_raw_tracepoint_args *ctx)	/* sched_process_exec(task, old_pid, bprm) */
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u64 *at = exec_at.lookup(&pid);

	if (at)
		*at = bpf_ktime_get_ns();
	return 0;
}

/* Whether this thread is the one that ends its process. When the last two threads end at once, both find that none is
 * alive, and one of them is first to enter the process in the map. */
static __always_inline bool ends_process(u64 signal, u64 start, u32 pid)
{
	struct process p = { start, pid };
	u32 one = 1;

	if (read_u32(signal, SIGNAL_LIVE))
		return false;
	return read_u32(signal, SIGNAL_THREADS) == 1 || !ended.insert(&p, &one);
}

int on_exit(struct bpf_raw_tracepoint_args *ctx)	/* sched_process_exit(task, …) */
{
	int zero = 0;
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct config *c = config.lookup(&zero);
	struct exitsnoop_event *e = scratch.lookup(&zero);
	u64 task = bpf_get_current_task();

	if (!c || !e || !is_wanted(c, pid, task))	/* before all that is read of a process outside the scope */
		return 0;
	u64 signal = read_pointer(task, TASK_SIGNAL), leader = read_pointer(task, TASK_LEADER);
	u64 start = read_pointer(leader, TASK_START);

	if (!ends_process(signal, start, pid))
		return 0;
	identify(&e->h);
	e->h.tid = pid;		/* the last thread may be any, but the process has the name of its first */
	__builtin_memset(e->h.comm, 0, COMM_LEN);
	read_kernel_str(e->h.comm, COMM_LEN, (void *)(leader + TASK_COMM));
	u64 *at = exec_at.lookup(&pid);
	/* As wait(2) would tell it (wait_task_zombie in kernel/exit.c). */
	u32 code = read_u32(signal, SIGNAL_FLAGS) & SIGNAL_GROUP_EXIT ? read_u32(signal, SIGNAL_EXIT_CODE)
								      : read_u32(leader, TASK_EXIT_CODE);

	e->age = e->h.ts - start;
	e->ran = at && *at > start ? e->h.ts - *at : e->age;	/* an earlier exec was of another process with this id */
	e->status = code & 0x7f ? -(s32)(code & 0x7f) : code >> 8 & 0xff;
	e->core = !!(code & CORE_DUMPED);
	int to = choose_transport(&e->h, task, e->ran, e->status);

	if (to < 0)
		return 0;
	tell_origin(&e->h, task);
	emit(ctx, &e->h, sizeof(*e), to);
	return 0;
}
