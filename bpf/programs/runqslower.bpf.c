/* Reports tasks that waited too long for a CPU: from runnable (woken, new or preempted) to running. */

#include "emit.h"

#define PREEMPTED 1ULL	/* kept in the lowest bit of the time stamp */

struct runqslower_event {
	struct event h;
	u64 latency;
	u32 prev_pid, prev_tid;
	char prev_comm[COMM_LEN];
	u16 preempted;
	u16 others_share;	/* percent of the latency, as all shares */
	u32 culprit_pid;
	char culprit_comm[COMM_LEN];
	u8 culprit_share, idle_share, short_share, moved_share;
	u32 late;	/* 0 here; the reader uses it */
};

/* The time since when each tid waits, or 0. An array with an entry for every possible tid, because it is fast: it is
 * used on every wakeup and switch. */
BPF_ARRAY(runnable_since, u64, ENTRIES(runnable_since));
BPF_PERCPU_ARRAY(scratch, struct runqslower_event, 1);

/* When a waiting thread was last moved to another CPU, where it has gone on waiting. */
LRU_HASH(moved, u32, u64);

#include "slices.h"

/* All waits but ringtop's own, including those too short to be reported. Each power of two from 64 ns on is divided
 * into 8 buckets of equal width; shorter waits are in the first bucket, longer ones than there are buckets for in the
 * last. bpf/event/waits.py mirrors this. */
#define SHORTEST 6	/* 2^6 ns */
#define BUCKETS 256
#define LONGEST ((1ULL << (SHORTEST + BUCKETS / 8)) - 1)

struct waits {
	u64 reported;	/* waits at least as long as the threshold */
	u64 bucket[BUCKETS];
};

PARAMETER(HISTOGRAM);
BPF_PERCPU_ARRAY(waits, struct waits, 1);

static __always_inline void count_wait(u64 ns, bool reported)
{
	int zero = 0;
	struct waits *w = waits.lookup(&zero);

	if (!w)
		return;
	if (ns > LONGEST)
		ns = LONGEST;
	u64 octave = 0, top = ns >> SHORTEST;

	if (top >= 1 << 16) {
		octave += 16;
		top >>= 16;
	}
	if (top >= 1 << 8) {
		octave += 8;
		top >>= 8;
	}
	if (top >= 1 << 4) {
		octave += 4;
		top >>= 4;
	}
	if (top >= 1 << 2) {
		octave += 2;
		top >>= 2;
	}
	if (top >= 1 << 1)
		octave += 1;
	u64 eighth = ns < 1 << SHORTEST ? 0 : ns >> (octave + SHORTEST - 3) & 7;

	w->bucket[bounded(octave << 3 | eighth, BUCKETS - 1)]++;
	w->reported += reported;
}

static __always_inline u64 *waiting_since(u32 tid)
{
	u64 *since = tid ? runnable_since.lookup(&tid) : NULL;

	if (tid && !since)
		count_untracked(1);	/* pid_max was raised after the start */
	return since;
}

static __always_inline void on_runnable(u32 tid)
{
	u64 *since = waiting_since(tid);

	if (since && !*since)	/* otherwise it waits already: it was preempted just before it went to sleep */
		*since = bpf_ktime_get_ns() & ~PREEMPTED;
}

static __always_inline void on_moved(u32 tid)
{
	u64 *since = tid ? runnable_since.lookup(&tid) : NULL;

	if (since && *since) {
		u64 now = bpf_ktime_get_ns();

		moved.update(&tid, &now);
	}
}

/* The CPU goes from one task to another. A preempted one waits from now on. One that sleeps does not, whatever woke it
 * while it ran. Return the event of the other one's wait, or NULL when there is nothing to report. */
static __always_inline struct runqslower_event *event_begin(u32 prev_tid, bool preempted, u32 tid, u64 task)
{
	int zero = 0;
	u64 *left = waiting_since(prev_tid), *since = tid ? runnable_since.lookup(&tid) : NULL;
	u64 start = since ? *since : 0;

	struct config *c = config.lookup(&zero);
	struct slices *ran = slices.lookup(&zero);

	if (!c || !ran)
		return NULL;
	u64 now = bpf_ktime_get_ns();
	s64 least = c->capture.range[RANGE_LATENCY].lo;

	count_run(ran, prev_tid, now, least);
	if (left)
		*left = preempted ? now | PREEMPTED : 0;
	if (!since || !start)
		return NULL;
	*since = 0;
	s64 latency = now - (start & ~PREEMPTED);

	if (latency <= 0)
		return NULL;
	bool reported = latency >= least;

	if (HISTOGRAM && is_wanted(c, tid, task))
		count_wait(latency, reported);
	if (!reported)
		return NULL;
	struct runqslower_event *e = scratch.lookup(&zero);

	if (!e)
		return NULL;
	u64 prev = bpf_get_current_pid_tgid();	/* the switch has not happened yet */

	e->h.ts = now;
	e->h.cpu = bpf_get_smp_processor_id();
	e->h.tid = tid;
	e->h.tail = 0;
	e->latency = latency;
	e->prev_pid = prev >> 32;
	e->prev_tid = prev;
	current_comm(e->prev_comm);
	e->preempted = start & PREEMPTED;
	u64 *since_moved = moved.lookup(&tid), from = start & ~PREEMPTED;

	if (since_moved && *since_moved > from)
		from = *since_moved;
	tell_culprit(ran, e, from);
	return e;
}

static __always_inline void event_submit(void *ctx, struct runqslower_event *e, u64 task)
{
	int to = choose_transport(&e->h, task, e->latency, 0);

	if (to < 0)
		return;
	tell_origin(&e->h, task);
	emit(ctx, &e->h, sizeof(*e), to);
}

#ifdef BTF_OFFSETS

PARAMETER(SWITCH_HAS_PREV_STATE);	/* the tracepoint has a fourth argument: since 5.18 */
PARAMETER(TYPED);	/* a BTF tracepoint: the verifier knows the types of its arguments, so no helper need read them */

static __always_inline u32 task_u32(u64 task, u64 offset)
{
	return TYPED ? *(u32 *)(task + offset) : read_u32(task, offset);
}

int on_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
	on_runnable(task_u32(ctx->args[0], TASK_PID));
	return 0;
}

int on_wakeup_new(struct bpf_raw_tracepoint_args *ctx)
{
	on_runnable(task_u32(ctx->args[0], TASK_PID));
	return 0;
}

int on_migrate(struct bpf_raw_tracepoint_args *ctx)
{
	on_moved(task_u32(ctx->args[0], TASK_PID));
	return 0;
}

int on_switch(struct bpf_raw_tracepoint_args *ctx)
{
	u64 preempt = ctx->args[0], prev = ctx->args[1], next = ctx->args[2];
	u32 prev_tid = TYPED ? task_u32(prev, TASK_PID) : bpf_get_current_pid_tgid();
	u32 state = SWITCH_HAS_PREV_STATE ? ctx->args[3] : task_u32(prev, TASK_STATE);
	/* A preempted task is runnable whatever its state says (kernel/sched: __trace_sched_switch_state). */
	bool preempted = (preempt & 0xff) || !state;
	struct runqslower_event *e = event_begin(prev_tid, preempted, task_u32(next, TASK_PID), next);

	if (!e)
		return 0;
	e->h.pid = read_u32(next, TASK_TGID);
	e->h.ppid = parent_tgid(next);
	e->h.uid = read_u32(read_pointer(next, TASK_CRED), CRED_UID);
	__builtin_memset(e->h.comm, 0, COMM_LEN);
	read_kernel_str(e->h.comm, COMM_LEN, (void *)(next + TASK_COMM));
	event_submit(ctx, e, next);
	return 0;
}

#else /* Classic tracepoints give the thread, not its process. */

int on_wakeup(struct tracepoint__sched__sched_wakeup *args)
{
	on_runnable(args->pid);
	return 0;
}

int on_wakeup_new(struct tracepoint__sched__sched_wakeup_new *args)
{
	on_runnable(args->pid);
	return 0;
}

int on_migrate(struct tracepoint__sched__sched_migrate_task *args)
{
	on_moved(args->pid);
	return 0;
}

int on_switch(struct tracepoint__sched__sched_switch *args)
{
	/* The tracepoint's state has a flag for preempted above the state bits (0xff), so those are 0 for a runnable task. */
	bool preempted = !(args->prev_state & 0xff);
	struct runqslower_event *e = event_begin(args->prev_pid, preempted, args->next_pid, 0);

	if (!e)
		return 0;
	e->h.pid = e->h.ppid = e->h.uid = UNKNOWN;
	__builtin_memset(e->h.comm, 0, COMM_LEN);	/* what follows the NUL in next_comm is stale */
	read_kernel_str(e->h.comm, COMM_LEN, args->next_comm);
	event_submit(args, e, 0);
	return 0;
}

#endif
