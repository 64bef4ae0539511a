/* Reports every execve and execveat, failed ones too, with the whole argument list. */

#include "emit.h"
#include "calls.h"

#define ENAMETOOLONG 36
#define FILENAME_LEN 4096
#define ARGV_LEN 8192
#ifndef FAILED_ARGS
#define FAILED_ARGS 60	/* the arguments of a failed exec must be read one by one */
#endif

struct execsnoop_event {
	struct event h;
	u64 age;	/* since the fork, or 0 */
	s32 ret;
	u32 argc, filename_len, argv_len, truncated;
	u32 late;	/* 0 here; the reader uses it */
	char text[16384 - 144];	/* makes the whole event a power of two */
};

#define FIXED offsetof(struct execsnoop_event, text)

BPF_PERCPU_ARRAY(scratch, struct execsnoop_event, 1);

/* A call in flight, from its entry to its outcome. The map is LRU because a thread that another's exec kills never
 * returns. */
struct request {
	const char *filename;
	const char *const *argv;
};

#ifdef BTF_OFFSETS
#define follow(more) ((void)0)	/* an event is reported even if its request was evicted, so none is missed */
#else
#define follow(more) count_untracked(more)
#endif

LRU_HASH(requests, u32, struct request);

static __always_inline int on_enter(const char *filename, const char *const *argv)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct request r = { filename, argv };

	requests.update(&tid, &r);
	follow(1);
	return 0;
}

static __always_inline void forget_request(u32 tid)
{
	if (!EXITS_ONLY && !requests.delete(&tid))
		follow(-1);
}

static __always_inline struct execsnoop_event *event_begin(u32 tid, s64 ret)
{
	int zero = 0;
	struct execsnoop_event *e = scratch.lookup(&zero);

	if (!e)
		return NULL;
	identify(&e->h);
	e->h.tid = tid;		/* the calling thread; a successful exec makes it the group leader, with another tid */
	e->age = current_age(e->h.ts);
	e->ret = ret;
	e->argc = e->filename_len = e->argv_len = e->truncated = 0;
	return e;
}

/* `n` is the result of read_*_str into e->text: the filename's length with the NUL, or an error. */
static __always_inline u32 set_filename(struct execsnoop_event *e, long n)
{
	u32 size = n > 0 && n <= FILENAME_LEN ? n - 1 : 0;

	if (n <= 0 || (n == FILENAME_LEN && e->ret == -ENAMETOOLONG))
		e->truncated = 1;
	e->filename_len = size;
	return size;
}

static __always_inline void event_submit(void *ctx, struct execsnoop_event *e, int to)
{
	/* Multiples of 64 make neighbouring records often equally long, and the reader copies such a run at once. */
	u64 size = (FIXED + e->filename_len + e->argv_len + 63) & ~63;

	tell_origin(&e->h, bpf_get_current_task());
	emit(ctx, &e->h, bounded(size, sizeof(*e) - 1), to);
}

/* Copy the new program's arguments. The kernel has just written them as one block, so its pages are present. */
static __always_inline void add_arg_block(struct execsnoop_event *e, u32 at, u64 start, u64 end)
{
	u64 size = end > start ? end - start : 0;

	if (size > ARGV_LEN - 1) {
		size = ARGV_LEN - 1;
		e->truncated = 1;
	}
	size = bounded(size, ARGV_LEN - 1);
	if (read_user(e->text + bounded(at, FILENAME_LEN - 1), size, (void *)start))
		e->truncated = 1;
	else
		e->argv_len = size;
}

/* Copy argument `i` behind those before. Return whether there may be more. */
static __always_inline int add_arg_string(struct execsnoop_event *e, u32 at, u64 argv, u32 i)
{
	char *text = e->text + bounded(at, FILENAME_LEN - 1), end = 0;
	const char *arg = NULL;

	if (read_user(&arg, sizeof(arg), (void *)(argv + i * sizeof(arg)))) {
		e->truncated = 1;
		return 0;
	}
	if (!arg)
		return 0;
	e->argc = i + 1;
	if (i == FAILED_ARGS || e->argv_len >= ARGV_LEN / 2) {
		e->truncated = 1;
		return 0;
	}
	long n = read_user_str(text + bounded(e->argv_len, ARGV_LEN / 2 - 1), ARGV_LEN / 2, arg);

	if (n <= 0 || n > ARGV_LEN / 2) {
		e->truncated = 1;	/* not paged in: the call failed before the kernel read it */
		return 0;
	}
	e->argv_len += n;
	/* It fills its place: where it was cut may be its end. */
	if (n == ARGV_LEN / 2 && (read_user(&end, sizeof(end), arg + ARGV_LEN / 2 - 1) || end))
		e->truncated = 1;
	return 1;
}

#ifdef CORE
CHECKED_ONCE int add_arg_apart(u32 at, u64 argv, u32 i)
{
	int zero = 0;
	struct execsnoop_event *e = scratch.lookup(&zero);

	return e ? add_arg_string(e, at, argv, i) : 0;
}
#else
#define add_arg_apart(at, argv, i) add_arg_string(e, at, argv, i)
#endif

/* Copy the argument strings one by one. The counts are kept in the event only: in registers they would be known values,
 * which differ after each round, and the verifier would check the code after the loop once for each possible last
 * round. */
static __always_inline void add_arg_strings(struct execsnoop_event *e, u32 at, const char *const *argv)
{
	if (!argv)
		return;
#ifdef UNROLL
#pragma unroll
#endif
	for (u32 i = 0; i <= FAILED_ARGS; i++)
		if (!add_arg_apart(at, (u64)argv, i))
			break;
}

int enter_execve(struct tracepoint__syscalls__sys_enter_execve *args)
{
	return on_enter(args->filename, args->argv);
}

int enter_execveat(struct tracepoint__syscalls__sys_enter_execveat *args)
{
	return on_enter(args->filename, args->argv);
}

#ifdef BTF_OFFSETS

static __always_inline void on_failure(void *ctx, s64 ret, u64 filename, u64 argv)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct request asked = { (const char *)call_argument(filename), (const char *const *)call_argument(argv) };
	struct request *r = EXITS_ONLY ? &asked : requests.lookup(&tid);
	struct execsnoop_event *e = event_begin(tid, ret);
	int to = e ? choose_transport(&e->h, bpf_get_current_task(), 0, ret) : -1;

	if (to >= 0) {
		if (r) {
			u32 at = set_filename(e, read_user_str(e->text, FILENAME_LEN, r->filename));

			add_arg_strings(e, at, r->argv);
		} else {
			e->truncated = 1;	/* entered before the program was attached */
		}
		event_submit(ctx, e, to);
	}
	forget_request(tid);
}

int on_exec(struct bpf_raw_tracepoint_args *ctx)	/* sched_process_exec(task, old_pid, bprm) */
{
	u32 tid = ctx->args[1];
	u64 bprm = ctx->args[2], mm = read_pointer(ctx->args[0], TASK_MM);
	struct execsnoop_event *e = event_begin(tid, 0);
	int to = e ? choose_transport(&e->h, bpf_get_current_task(), 0, 0) : -1;

	if (to >= 0) {
		u32 at = set_filename(e, read_kernel_str(e->text, FILENAME_LEN, (void *)read_pointer(bprm, BPRM_FILENAME)));

		e->argc = read_u32(bprm, BPRM_ARGC);
		add_arg_block(e, at, read_pointer(mm, MM_ARG_START), read_pointer(mm, MM_ARG_END));
		event_submit(ctx, e, to);
	}
	forget_request(tid);
	return 0;
}

int exit_execve(struct tracepoint__syscalls__sys_exit_execve *args)
{
	if (args->ret < 0)
		on_failure(args, args->ret, CALL_ARG1, CALL_ARG2);
	return 0;
}

int exit_execveat(struct tracepoint__syscalls__sys_exit_execveat *args)
{
	if (args->ret < 0)
		on_failure(args, args->ret, CALL_ARG2, CALL_ARG3);
	return 0;
}

#else /* Without BTF, the arguments are read from the new program's stack when the system call returns. */

struct new_program {
	u32 tid, len;
	char filename[FILENAME_LEN];
};

LRU_HASH(new_programs, u32, struct new_program);
BPF_PERCPU_ARRAY(new_program_scratch, struct new_program, 1);

int on_exec(struct tracepoint__sched__sched_process_exec *args)
{
	int zero = 0;
	u32 now = args->pid, tid = args->old_pid;
	struct new_program *s = new_program_scratch.lookup(&zero);

	if (!s)
		return 0;
	s->tid = tid;
	s->len = read_kernel_str(s->filename, FILENAME_LEN, (char *)args + (args->data_loc_filename & 0xffff));
	new_programs.update(&now, s);
	follow(1);
	forget_request(tid);
	return 0;
}

/* Copy the arguments from the stack of a program that just started: argc, argv[0] ..., NULL, envp[0] ..., NULL. The
 * strings lie in one block from argv[0] to envp[0]. Without an environment the block's end is not known: then return
 * argv, for add_arg_strings(), else NULL. */
static __always_inline const char *const *add_new_stack(struct execsnoop_event *e, u32 at, u64 sp)
{
	u64 argc = 0, first = 0, end = 0;

	read_user(&argc, sizeof(argc), (void *)sp);
	read_user(&first, sizeof(first), (void *)(sp + 8));
	read_user(&end, sizeof(end), (void *)(sp + 8 * (argc + 2)));
	if (!end)
		return (const char *const *)(sp + 8);
	e->argc = argc;
	add_arg_block(e, at, first, end);
	return NULL;
}

int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u64 regs = ctx->args[0];
	s64 ret = ctx->args[1];
	u32 nr = read_u32(regs, offsetof(struct pt_regs, USER_SYSCALL)), tid = bpf_get_current_pid_tgid();

	if (nr != NR_EXECVE && nr != NR_EXECVEAT)
		return 0;
	const void *filename;
	const char *const *argv = NULL;
	u32 asked = tid;

	if (!ret) {
		struct new_program *p = new_programs.lookup(&tid);

		if (!p)
			return 0;
		asked = p->tid;
		filename = p->filename;
	} else {
		struct request *r = requests.lookup(&tid);

		if (!r)
			return 0;	/* in 32-bit programs these numbers mean other calls */
		filename = r->filename;
		argv = r->argv;
	}
	struct execsnoop_event *e = event_begin(asked, ret);
	int to = e ? choose_transport(&e->h, bpf_get_current_task(), 0, ret) : -1;

	if (to >= 0) {
		u32 at = set_filename(e, ret ? read_user_str(e->text, FILENAME_LEN, filename)
					     : read_kernel_str(e->text, FILENAME_LEN, filename));

		if (!ret)
			argv = add_new_stack(e, at, read_pointer(regs, offsetof(struct pt_regs, sp)));
		if (argv)
			add_arg_strings(e, at, argv);
		event_submit(ctx, e, to);
	}
	if (ret)
		forget_request(tid);
	else if (!new_programs.delete(&tid))
		follow(-1);
	return 0;
}

#endif
