/* Who ran on a CPU lately, so that a wait can be told to be because of somebody. Every switch adds the run that ends to
 * the CPU's ring of slices; a wait is added up only when it is reported.
 *
 * A ring of runs would be full at once where tasks run for microseconds. So short runs are summed by thread in an epoch,
 * which lasts about a quarter of the shortest wait that is reported; in each, SHARERS threads are told apart, and the
 * last of these slices takes all others. A longer run is an epoch of its own, and exact. */

#ifdef BTF_OFFSETS
#define SLICES 32
#define SHARERS 4
#define REPEAT _Pragma("clang loop unroll(disable)")
#else	/* verifiers before 5.3 take no loops, and 4096 instructions at most before 5.2 */
#define SLICES 16
#define SHARERS 3
#define REPEAT _Pragma("unroll")
#endif

#define SEVERAL UNKNOWN	/* in place of a thread: a slice of several */
#define LONGEST_EPOCH (1 << 30)	/* ns: times in it can be multiplied */

struct slice {
	u64 start;	/* of the epoch */
	u64 sum;	/* ns that the thread ran in it */
	u32 tid, tgid;
	char comm[COMM_LEN];
};

struct slices {
	u64 since;	/* when the present run began; 0 before the first switch */
	u64 start;	/* of the present epoch */
	u64 first, next;	/* number of the epoch's first slice, and of the next one to be written */
	struct slice ring[SLICES];
	u64 took[SLICES];	/* what follows is used while a wait is added up: the part of each slice in the wait, newest first */
	u32 whose[SLICES];
	u64 most, best;
};

BPF_PERCPU_ARRAY(slices, struct slices, 1);

/* The run of the current thread ends. The shortest wait that is reported has `reported` ns. */
static __always_inline void count_run(struct slices *r, u32 tid, u64 now, s64 reported)
{
	u64 began = r->since, ran = now - began, epoch = reported < 0 ? 0 : (u64)reported / 4;

	if (epoch > LONGEST_EPOCH)
		epoch = LONGEST_EPOCH;
	r->since = now;
	if (!began) {
		r->start = now;
		return;
	}
	if (ran >= epoch) {
		r->first = r->next;
		r->start = began;
	}
	u64 used = r->next - r->first, at = used < SHARERS ? r->next : r->next - 1;

#pragma unroll
	for (u32 i = 0; i < SHARERS; i++)
		if (i < used && r->ring[bounded(r->first + i, SLICES - 1)].tid == tid)
			at = r->first + i;
	struct slice *s = &r->ring[bounded(at, SLICES - 1)];

	if (at == r->next) {
		r->next++;
		s->start = r->start;
		s->sum = 0;
		s->tid = tid;
		s->tgid = bpf_get_current_pid_tgid() >> 32;
		current_comm(s->comm);
	} else if (s->tid != tid) {
		s->tid = s->tgid = SEVERAL;
	}
	s->sum += ran;
	if (now - r->start >= epoch) {
		r->first = r->next;
		r->start = now;
	}
}

/* Masks in place of branches, of which a verifier would follow every combination. The asm keeps the compiler from making
 * branches of them. */
static __always_inline u64 if_negative(s64 value)
{
	s64 mask = value >> 63;

	asm volatile("" : "+r"(mask));
	return mask;
}

static __always_inline u64 if_equal(u64 a, u64 b)
{
	return if_negative((a ^ b) - 1);
}

static __always_inline u32 percent(u64 part, u64 whole)
{
	return (part * 100 + whole / 2) / whole;
}

/* Keep slice `i` if its process used more of the wait than those before. */
static __always_inline void add_up(struct slices *r, u32 i)
{
	u64 sum = 0;
	u32 whose = r->whose[bounded(i, SLICES - 1)];

	if (!r->took[bounded(i, SLICES - 1)] || !whose || whose == SEVERAL)
		return;
	REPEAT
	for (u32 j = 0; j < SLICES; j++)
		if (j >= i)	/* not where it begins: a loop unrolls only if its length is known */
			sum += r->took[j] & if_equal(r->whose[j], whose);
	if (sum > r->most) {
		r->most = sum;
		r->best = i;
	}
}

#ifdef CORE
CHECKED_ONCE int add_up_apart(u32 i)
{
	int zero = 0;
	struct slices *r = slices.lookup(&zero);

	if (r)
		add_up(r, i);
	return 0;
}
#else
#define add_up_apart(i) add_up(r, i)
#endif

/* Tell who used most of the CPU since `from`, while the event's thread waited: its process, because a program of many
 * threads is one culprit. */
static __always_inline void tell_culprit(struct slices *r, struct runqslower_event *e, u64 from)
{
	u64 now = e->h.ts, until = now, start = now, all = 0, idle = 0, several = 0;

	REPEAT
	for (u32 i = 0; i < SLICES; i++) {
		struct slice *s = &r->ring[bounded(r->next - 1 - i, SLICES - 1)];
		u64 same = if_equal(s->start, start);	/* else the epoch before ended where this one began */

		until = (same & until) | (~same & start);
		start = s->start;
		u64 overlap = until - from, whole = ~if_negative(start - from), alone = if_equal(s->sum, until - start);

		overlap &= ~if_negative(overlap);
		u64 part = (alone & overlap) | (~alone & s->sum * overlap / (until - start));
		u64 took = (whole & s->sum) | (~whole & part);

		took &= ~if_equal(s->tid, e->h.tid);	/* it ran before it waited */
		all += took;
		idle += took & if_equal(s->tid, 0);
		several += took & if_equal(s->tid, SEVERAL);
		r->took[i] = took;
		r->whose[i] = s->tgid;
	}
	r->most = 0;
	REPEAT
	for (u32 i = 0; i < SLICES; i++) {
		/* Else the compiler keeps the addresses of all that is used in unrolled loops, and the stack has no room. */
		asm volatile("" : "+r"(r));
		add_up_apart(i);
	}
	struct slice *s = &r->ring[bounded(r->next - 1 - r->best, SLICES - 1)];

	e->culprit_pid = s->tgid;
	__builtin_memcpy(e->culprit_comm, s->comm, COMM_LEN);
	e->culprit_share = percent(r->most, e->latency);
	e->others_share = percent(all - idle - several - r->most, e->latency);
	e->idle_share = percent(idle, e->latency);
	e->short_share = percent(several, e->latency);
	e->moved_share = percent(e->latency - (now - from), e->latency);
}
