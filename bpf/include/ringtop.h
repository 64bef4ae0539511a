/* What the programs share with user space. bpf/event/schema.py, bpf/filter/capture.py and bpf/kernel/layout.py mirror these layouts. */

#ifdef CORE
#include "core.h"
#else
#include "bcc.h"
#endif

#define COMM_LEN 16
#define UNKNOWN 0xffffffff

/* The one way to bound an offset or a size. The verifier of kernels before 5.10 forgets what it knew of a number as soon
 * as that lies on the stack for a while, and the compiler leaves out a mask that it can prove to change nothing. So the
 * mask stands right where the number is used, and the compiler knows nothing of what it is applied to. */
#define bounded(value, mask) ({ u64 v_ = (value); asm volatile("" : "+r"(v_)); v_ & (mask); })

enum transport { RING_BUFFER, PERF_BUFFER };
enum wakeup { WAKE_TIMER, WAKE_ADAPTIVE, WAKE_EVERY, WAKE_BATCH };

/* First part of every event. */
struct event {
	u64 ts;		/* ktime, ns */
	u64 seq;	/* emit attempts of this program on this CPU before this one */
	u64 cgroup;
	u32 cpu;
	u32 pid;	/* thread group */
	u32 tid;
	u32 ppid;
	u32 uid;
	u32 tail;	/* for the reader */
	char comm[COMM_LEN];
};

/* Values in [lo, hi] and outside [not_lo, not_hi] pass. */
struct range {
	s64 lo, hi, not_lo, not_hi;
};

enum { RANGE_LATENCY, RANGE_PID, RANGE_TID, RANGE_PPID, RANGE_UID, RANGE_RET, RANGE_CPU, RANGES };
#define ACTIVE_COMM (1 << RANGES)

struct capture {
	u64 active;	/* bit per range, then comm: what is to be checked */
	struct range range[RANGES];
	char comm[COMM_LEN];
	u64 comm_not;
};

struct config {
	u64 transport;
	u64 copy;	/* each event goes over the other transport too */
	u64 wakeup;
	u64 wakeup_arg;	/* WAKE_TIMER: bytes waiting that wake the reader all the same; WAKE_BATCH: N */
	struct capture capture;
};

/* Counters of one CPU; they only grow, but for untracked. */
struct counts {
	u64 hits, filtered, emitted, full, no_reader, other;
};

struct ledger {
	u64 seq;	/* emit attempts over both transports */
	s64 untracked;	/* calls that entered here less those that left here, and runs that could not be followed */
	struct counts by[2];	/* enum transport */
	struct counts copied;
};
