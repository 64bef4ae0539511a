/* Reports every unlink, unlinkat and rmdir, with its result. */

#include "emit.h"
#include "place.h"

#define PATH_LEN 4096	/* PATH_MAX, with the NUL: the kernel refuses longer paths */
#define ENAMETOOLONG 36
#define AT_REMOVEDIR 0x200
enum op { UNLINK, RMDIR };

struct unlinksnoop_event {
	struct event h;
	s32 ret, dfd;
	u16 op, truncated;
	u32 place_len, path_len;
	u32 late;	/* 0 here; the reader uses it */
	char text[4 * PATH_LEN - 136];	/* the place and the path, which make the full path */
};

#define FIXED offsetof(struct unlinksnoop_event, text)

#ifdef KERNEL_FUNCTIONS

/* A call in flight. The name is read at the entry, from the kernel's own copy: the process cannot change that, and it
 * needs no paging in. At the return the copy may be freed (do_unlinkat consumes it). The map is LRU because the kernel
 * misses returns: it follows twice as many calls of a function as there are CPUs, or 10 (register_kretprobe). */
struct request {
	const char *path;	/* in user memory, or NULL; it is read at the return, when the kernel has paged it in */
	struct place place;	/* that a relative path starts from */
	s32 dfd;
	u32 op;
	s64 len;	/* of the name, with the NUL, or an error */
	char name[PATH_LEN];
};

LRU_HASH_BY_CPU(requests, u32, struct request);
BPF_PERCPU_ARRAY(entering, struct request, 1);
BPF_PERCPU_ARRAY(scratch, struct unlinksnoop_event, 1);

#define EXITS_ONLY 0

static __always_inline bool is_absolute(struct request *r)
{
	char first = r->name[0];

	if (r->path)
		read_user(&first, 1, r->path);
	return first == '/';
}

static __always_inline long read_path(char *to, struct request *r)
{
	if (r->path)
		return read_user_str(to, PATH_LEN, r->path);
	return r->len > 0 ? read_kernel_str(to, PATH_LEN, r->name) : r->len;
}

/* `name` points to a struct filename, whose first member is the pointer to the name on every kernel; but do_rmdir of
 * older kernels gets the user's pointer (fs/namei.c of 4.19 and 5.4). The sign tells them apart: kernel addresses have
 * the top bit. */
static __always_inline int on_enter(s32 dfd, u64 name, u32 op)
{
	int zero = 0;
	u32 tid = bpf_get_current_pid_tgid();
	struct request *r = entering.lookup(&zero);

	if (!r)
		return 0;
	count_untracked(1);	/* stays when the return is missed */
	r->dfd = dfd;
	r->op = op;
	if (FULL_PATHS)
		r->place = place_of(dfd);
	r->path = (s64)name < 0 ? NULL : (const char *)name;
	if (!r->path)
		r->len = read_kernel_str(r->name, PATH_LEN, (void *)read_pointer(name, 0));
	requests.update(&tid, r);
	return 0;
}

#else

#include "calls.h"

/* A call in flight. LRU: a task that is killed in the call never returns. */
struct request {
	const char *path;	/* in user memory; it is read at the exit, when the kernel has paged it in */
	struct place place;	/* that a relative path starts from */
	s32 dfd;
	u32 op;
};

LRU_HASH(requests, u32, struct request);
BPF_PERCPU_ARRAY(scratch, struct unlinksnoop_event, 1);

static __always_inline bool is_absolute(struct request *r)
{
	char first = 0;

	read_user(&first, 1, r->path);
	return first == '/';
}

static __always_inline long read_path(char *to, struct request *r)
{
	return read_user_str(to, PATH_LEN, r->path);
}

static __always_inline int on_enter(const char *path, s32 dfd, u32 op)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct request r = { path, {}, dfd, op };

	if (FULL_PATHS)
		r.place = place_of(dfd);
	count_untracked(1);
	requests.update(&tid, &r);
	return 0;
}

#endif

/* Put where the path starts into e->text, and return its length; 0 when it is not known. */
static __always_inline u32 put_place(struct unlinksnoop_event *e, struct request *r)
{
#ifdef HAS_PLACES
	int zero = 0;
	struct written *w = writing.lookup(&zero);
	bool absolute = is_absolute(r);
	struct place p = absolute ? root_place() : EXITS_ONLY ? place_of(r->dfd) : r->place;

	if (!w)
		return 0;
	u32 size = write_place(w, p, e->ret < 0);

	if (absolute && size)
		size--;	/* the path has its '/' */
	read_kernel(e->text, bounded(size, PLACE_LEN - 1), w->text + bounded(w->at, PLACE_LEN - 1));
	return size;
#else
	return 0;
#endif
}

static __always_inline void report(void *ctx, s64 ret, struct request *r)
{
	int zero = 0;
	struct unlinksnoop_event *e = scratch.lookup(&zero);

	if (!r || !e)
		return;	/* entered before the program was attached */
	identify(&e->h);
	e->op = r->op;
	e->dfd = r->dfd;
	e->ret = ret;
	int to = choose_transport(&e->h, bpf_get_current_task(), 0, ret);

	if (to < 0)
		return;
	u32 place = FULL_PATHS ? put_place(e, r) : 0;
	long n = read_path(e->text + bounded(place, PLACE_LEN - 1), r);	/* its length with the NUL, or an error */
	u32 size = n > 0 && n <= PATH_LEN ? n : 0;

	e->path_len = size ? size - 1 : 0;
	e->place_len = size > 1 ? place : 0;
	e->truncated = !size || (size == PATH_LEN && ret == -ENAMETOOLONG);
	/* Multiples of 64 make neighbouring records often equally long, and the reader copies such a run at once. */
	tell_origin(&e->h, bpf_get_current_task());
	emit(ctx, &e->h, bounded((FIXED + place + size + 63) & ~63, sizeof(*e) - 1), to);
}

static __always_inline void forget_request(u32 tid)
{
	if (!requests.delete(&tid))
		count_untracked(-1);
}

#ifdef KERNEL_FUNCTIONS

int enter_unlink(struct pt_regs *ctx)
{
	return on_enter(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), UNLINK);
}

int enter_rmdir(struct pt_regs *ctx)
{
	return on_enter(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), RMDIR);
}

int exit_any(struct pt_regs *ctx)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct request *r = requests.lookup(&tid);

	report(ctx, (s32)PT_REGS_RC(ctx), r);
	forget_request(tid);
	return 0;
}

#else

static __always_inline int on_exit(void *ctx, s64 ret, struct request asked)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct request *r = EXITS_ONLY ? &asked : requests.lookup(&tid);

	report(ctx, ret, r);
	if (!EXITS_ONLY)
		forget_request(tid);
	return 0;
}

static __always_inline u32 op_of(u64 flag)
{
	return flag & AT_REMOVEDIR ? RMDIR : UNLINK;
}

#ifdef HAS_UNLINK	/* newer architectures have only unlinkat */
int enter_unlink(struct tracepoint__syscalls__sys_enter_unlink *args)
{
	return on_enter(args->pathname, AT_FDCWD, UNLINK);
}

int exit_unlink(struct tracepoint__syscalls__sys_exit_unlink *args)
{
	struct request asked = { (const char *)call_argument(CALL_ARG1), {}, AT_FDCWD, UNLINK };

	return on_exit(args, args->ret, asked);
}

int enter_rmdir(struct tracepoint__syscalls__sys_enter_rmdir *args)
{
	return on_enter(args->pathname, AT_FDCWD, RMDIR);
}

int exit_rmdir(struct tracepoint__syscalls__sys_exit_rmdir *args)
{
	struct request asked = { (const char *)call_argument(CALL_ARG1), {}, AT_FDCWD, RMDIR };

	return on_exit(args, args->ret, asked);
}
#endif

int enter_unlinkat(struct tracepoint__syscalls__sys_enter_unlinkat *args)
{
	return on_enter(args->pathname, args->dfd, op_of(args->flag));
}

int exit_unlinkat(struct tracepoint__syscalls__sys_exit_unlinkat *args)
{
	struct request asked = { (const char *)call_argument(CALL_ARG2), {}, call_argument(CALL_ARG1), op_of(call_argument(CALL_ARG3)) };

	return on_exit(args, args->ret, asked);
}

#endif
