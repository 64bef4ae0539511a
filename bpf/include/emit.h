/* The only C file that knows both transports. A hook fills in the event's header, calls choose_transport(), completes
 * the event and calls emit(). No other hook of the same program on the same CPU can interrupt this, so per-CPU maps are
 * safe. */

#include "task.h"

#define ENOENT 2	/* include/uapi/asm-generic/errno-base.h, the same on every architecture that has BPF */
#define EAGAIN 11
#define ENOSPC 28
#define EOPNOTSUPP 95	/* a perf buffer's error for a CPU that went offline and came back */

BPF_ARRAY(config, struct config, 1);
BPF_PERCPU_ARRAY(ledger, struct ledger, 1);
SHARED_ARRAY(marks, u64);	/* of all programs: a byte for each task, by its id (bpf/kernel/marks.py) */
SHARED_ARRAY(scope, struct group);	/* of all programs, too: the control group whose events are wanted */
SHARED_LRU_HASH(origins, struct origin);	/* of all programs, too */
BPF_PERF_OUTPUT(perfbuf);
RING_BUFFERS(ringbuf);	/* a map of one ring buffer, so that it can be replaced while the program runs */

PARAMETER(RINGBUF);	/* the kernel has ring buffers */
PARAMETER(EMIT_RESERVE);	/* --emit reserve: bpf_ringbuf_reserve() and submit instead of output */
PARAMETER(EMIT_QUERY);	/* --emit query: ask for free space before each output */
PARAMETER(MARKS_SHIFT);	/* an element of marks has the marks of 2^MARKS_SHIFT tasks: 8 or 1 */

/* Fill in the event's header from the current task, the CPU and the clock. */
static __always_inline void identify(struct event *e)
{
	u64 id = bpf_get_current_pid_tgid();

	e->ts = bpf_ktime_get_ns();
	e->cpu = bpf_get_smp_processor_id();
	e->pid = id >> 32;
	e->tid = id;
	e->uid = bpf_get_current_uid_gid();
	e->ppid = current_parent();
	e->tail = 0;
	current_comm(e->comm);
}

/* Complete the header of an event that is wanted: the task's control group, when its process started, its parent's name
 * (that of the parent's first thread), and who forked it. */
static __always_inline void tell_origin(struct event *e, u64 task)
{
	u32 tgid = e->pid;
	struct origin *from = origins_lookup(&tgid);

#ifdef BTF_OFFSETS
	e->cgroup = group_id(group_of(task));
	e->start = read_pointer(read_pointer(task, TASK_LEADER), TASK_START);
	read_kernel(e->parent, COMM_LEN, (void *)(read_pointer(read_pointer(task, TASK_REAL_PARENT), TASK_LEADER) + TASK_COMM));
#else
	e->cgroup = task ? current_group_id() : 0;
	e->start = 0;
	__builtin_memset(e->parent, 0, COMM_LEN);
#endif
	e->host = 0;
	e->origin_pid = from ? from->pid : 0;
	if (from)
		__builtin_memcpy(e->origin, from->comm, COMM_LEN);
	else
		__builtin_memset(e->origin, 0, COMM_LEN);
}

/* Add 1 when a call enters and -1 when its return is seen, perhaps on another CPU. The sum over all CPUs is the number of
 * calls in flight, plus those whose return was missed. */
static __always_inline void count_untracked(s64 more)
{
	int zero = 0;
	struct ledger *l = ledger.lookup(&zero);

	if (l)
		l->untracked += more;
}

static __always_inline bool is_outside(const struct capture *c, int field, s64 value)
{
	const struct range *r = &c->range[field];

	return c->active & (1 << field) &&
	       (value < r->lo || value > r->hi || (value >= r->not_lo && value <= r->not_hi));
}

static __always_inline bool passes(const struct capture *c, const struct event *e, s64 latency, s64 ret)
{
	if (!c->active)
		return true;
	if (is_outside(c, RANGE_LATENCY, latency) || is_outside(c, RANGE_PID, e->pid) || is_outside(c, RANGE_TID, e->tid) ||
	    is_outside(c, RANGE_PPID, e->ppid) || is_outside(c, RANGE_UID, e->uid) || is_outside(c, RANGE_RET, ret) ||
	    is_outside(c, RANGE_CPU, e->cpu))
		return false;
	if (c->active & ACTIVE_COMM) {
		const u64 *want = (const u64 *)c->comm, *have = (const u64 *)e->comm;
		bool same = want[0] == have[0] && want[1] == have[1];

		return same != !!c->comm_not;
	}
	return true;
}

/* Whether the task is in the control group whose events are wanted, or in one below it. */
static __always_inline bool in_scope(u64 task)
{
#ifdef BTF_OFFSETS
	u32 zero = 0;
	struct group *wanted = scope_lookup(&zero);
	u64 group = group_of(task), level = wanted ? wanted->level : 0;

	return wanted && read_u32(group, CGROUP_LEVEL) >= level && ancestor_id(group, level) == wanted->id;
#else
	return true;	/* there is no such scope here (bpf/kernel/scope.py) */
#endif
}

/* Whether the events of a task, by its id, are wanted: its mark says so (it is not ringtop's own), and it is in the
 * scope. */
static __always_inline bool is_wanted(const struct config *c, u32 id, u64 task)
{
	u32 at = id >> MARKS_SHIFT;
	u8 *mark = (u8 *)marks_lookup(&at);

	if (((mark ? mark[bounded(id & ((1 << MARKS_SHIFT) - 1), 7)] : 0) & c->mask) != c->wanted)
		return false;
	return !c->grouped || in_scope(task);
}

/* Count the event of the task and return its transport, or -1 when it is not wanted or the capture filter keeps it
 * out. */
static __always_inline int choose_transport(struct event *e, u64 task, s64 latency, s64 ret)
{
	int zero = 0;
	struct config *c = config.lookup(&zero);
	struct ledger *l = ledger.lookup(&zero);
	u32 who = e->pid == UNKNOWN ? e->tid : e->pid;

	if (!c || !l)
		return -1;
	int to = c->transport & 1;
	if (!is_wanted(c, who, task))
		return -1;
	struct counts *n = &l->by[bounded(to, 1)];

	n->hits++;
	if (!passes(&c->capture, e, latency, ret)) {
		n->filtered++;
		return -1;
	}
	return to;
}

/* Round a size up to a power of two. bpf_ringbuf_reserve() takes a constant size only. Events have 176 bytes
 * (runqslower) to 12 KiB (execsnoop), and few have more than 512, so a few size classes waste little. */
static __always_inline u64 size_class(u64 size)
{
	u64 class = 128;

#pragma unroll
	for (int i = 0; i < 7; i++)
		if (class < size)
			class *= 2;
	return class;
}

/* The rest of the record after the event keeps old bytes. The reader ignores them: the event holds the length of its
 * text. */
static __always_inline int ringbuf_fill(void *ring, struct event *e, u64 size, u64 class, u64 flags)
{
	void *record = bpf_ringbuf_reserve(ring, class, 0);

	if (!record)
		return -EAGAIN;
	asm volatile("" : "+r"(size));	/* keeps the compiler from removing the bound below, which older verifiers need */
	read_kernel(record, size > class ? class : size, e);
	bpf_ringbuf_submit(record, flags);
	return 0;
}

static __always_inline int ringbuf_submit(struct config *c, struct event *e, u64 size)
{
	int zero = 0;
	void *ring = ringbuf.lookup(&zero);
	u64 flags = BPF_RB_NO_WAKEUP, taken = EMIT_RESERVE ? size_class(size) : size;

	if (!ring)
		return -ENOENT;
	if (EMIT_QUERY &&	/* a full ring is found without its lock, which output would take first */
	    bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + ((taken + 15) & ~7) >= bpf_ringbuf_query(ring, BPF_RB_RING_SIZE))
		return -EAGAIN;
	if (c->wakeup == WAKE_TIMER) {
		/* Wake the reader once, when the fill level crosses the mark: more wakeups do not make a slow reader faster. */
		u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);

		if (waiting < c->wakeup_arg && waiting + taken + 8 >= c->wakeup_arg)
			flags = BPF_RB_FORCE_WAKEUP;
	} else if (c->wakeup == WAKE_ADAPTIVE) {
		flags = 0;
	} else if (c->wakeup == WAKE_EVERY || (c->wakeup_arg && e->seq % c->wakeup_arg == 0)) {
		flags = BPF_RB_FORCE_WAKEUP;
	}
	if (EMIT_RESERVE)
		return ringbuf_fill(ring, e, size, taken, flags);
	return bpf_ringbuf_output(ring, e, size, flags);
}

static __always_inline void submit(void *ctx, struct config *c, struct counts *n, struct event *e, u64 size, int to)
{
	int err;

	n->emitted++;
	if (RINGBUF && to == RING_BUFFER)
		err = ringbuf_submit(c, e, size);
	else
		err = perfbuf.perf_submit(ctx, e, size);
	if (!err)
		return;
	if (err == -ENOSPC || err == -EAGAIN)
		n->full++;
	else if (err == -ENOENT || err == -EOPNOTSUPP)
		n->no_reader++;
	else
		n->other++;
}

/* Number the event and send its first `size` bytes over the transport `to`, which choose_transport() returned. */
static __always_inline void emit(void *ctx, struct event *e, u64 size, int to)
{
	int zero = 0;
	struct config *c = config.lookup(&zero);
	struct ledger *l = ledger.lookup(&zero);

	if (!c || !l)
		return;
	e->seq = l->seq++;
	submit(ctx, c, &l->by[bounded(to, 1)], e, size, to);
	if (RINGBUF && c->copy)
		submit(ctx, c, &l->copied, e, size, !to);
}
