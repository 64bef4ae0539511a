/* The layouts that programs and user space share. bpf/event/schema/, bpf/filter/capture.py and bpf/kernel/layout.py
 * mirror them. */

#ifdef CORE
#include "core.h"
#else
#include "bcc.h"
#endif

#define COMM_LEN 16
#define UNKNOWN 0xffffffff

/* Bound an offset or a size by a mask; use nothing else for that. Verifiers before 5.10 forget the bounds of a number
 * that is spilled to the stack, and the compiler removes a mask that it can prove to change nothing. So the mask stands
 * right where the number is used, and the asm hides from the compiler what is known of the number. */
#define bounded(value, mask) ({ u64 v_ = (value); asm volatile("" : "+r"(v_)); v_ & (mask); })

enum transport { RING_BUFFER, PERF_BUFFER };
enum wakeup { WAKE_TIMER, WAKE_ADAPTIVE, WAKE_EVERY, WAKE_BATCH };

/* The header of every event. */
struct event {
	u64 ts;		/* ktime, ns */
	u64 seq;	/* number of earlier emit attempts of this program on this CPU */
	u64 cgroup;
	u64 start;	/* when the process started: ktime, ns; 0 where that is not known */
	u32 cpu;
	u32 pid;	/* thread group */
	u32 tid;
	u32 ppid;
	u32 uid;
	u32 tail;	/* 0 here; the reader uses it */
	u32 origin_pid;	/* the process that forked this one; 0 where that is not known */
	u32 host;	/* 0 here; who reads several hosts numbers them */
	char comm[COMM_LEN];
	char parent[COMM_LEN];	/* the parent's name now; empty where it is not known */
	char origin[COMM_LEN];	/* the name that origin_pid had then */
};

/* What is kept of a fork, by the new process's id (bpf/kernel/origins.py). */
struct origin {
	u32 pid;
	char comm[COMM_LEN];
};

/* A control group: its id, and how many are above it. */
struct group {
	u64 id, level;
};

/* A value passes when it is in [lo, hi] and outside [not_lo, not_hi]. */
struct range {
	s64 lo, hi, not_lo, not_hi;
};

enum { RANGE_LATENCY, RANGE_PID, RANGE_TID, RANGE_PPID, RANGE_UID, RANGE_RET, RANGE_CPU, RANGES };
#define ACTIVE_COMM (1 << RANGES)

struct capture {
	u64 active;	/* a bit for each range to check, then ACTIVE_COMM */
	struct range range[RANGES];
	char comm[COMM_LEN];
	u64 comm_not;
};

struct config {
	u64 transport;
	u64 copy;	/* send each event over the other transport as well (comparison) */
	u64 wakeup;
	u64 wakeup_arg;	/* WAKE_TIMER: the unread bytes at which the reader is woken early; WAKE_BATCH: N */
	u64 mask, wanted;	/* an event is wanted if its process's mark, of which only the bits of the mask count, is this */
	u64 grouped;	/* and, unless this is 0, if its process is in the control group `scope` */
	struct capture capture;
};

/* The counters of one CPU. All only grow, except untracked. */
struct counts {
	u64 hits, filtered, emitted, full, no_reader, other;
};

struct ledger {
	u64 seq;	/* number of emit attempts over both transports */
	s64 untracked;	/* calls entered here minus calls returned here, plus waits that could not be followed */
	struct counts by[2];	/* indexed by enum transport */
	struct counts copied;
};
