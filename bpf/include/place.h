/* Where a path starts, as a path from the root of the task's mount namespace. */

#include "task.h"

PARAMETER(FULL_PATHS);	/* it is found and written */

#define AT_FDCWD (-100)
#define LEVELS 128	/* of directories and mounts */
#define PLACE_LEN 4096	/* a power of two, and one more than the longest place */

/* struct path: a directory, and the mount that it is seen in. The kernel may free both before they are read; then the
 * place is not known, or wrong. */
struct place {
	u64 mount, dentry;
};

/* A place is written from its end to its start, because a directory knows its parent only. */
struct written {
	struct place from;	/* what is to be written next, with what is above it */
	u64 top;	/* the root of its mount */
	u32 at;
	char end;	/* what is to stand behind its name */
	char text[PLACE_LEN + 512];
};

#ifdef HAS_PLACES

/* The directory of a descriptor. */
static __always_inline struct place place_of(s32 dfd)
{
	u64 task = bpf_get_current_task(), path = 0;
	struct place p;

	if (dfd == AT_FDCWD) {
		path = read_pointer(task, TASK_FS) + FS_PWD;
	} else {
		u64 table = read_pointer(read_pointer(task, TASK_FILES), FILES_FDT);

		if ((u32)dfd < read_u32(table, FDTABLE_MAX))
			path = read_pointer(read_pointer(table, FDTABLE_FD), 8 * (u32)dfd) + FILE_PATH;
	}
	read_kernel(&p, sizeof(p), (void *)path);
	return p;
}

/* Where absolute paths start: elsewhere than at the namespace's root after a chroot. */
static __always_inline struct place root_place(void)
{
	struct place p;

	read_kernel(&p, sizeof(p), (void *)(read_pointer(bpf_get_current_task(), TASK_FS) + FS_ROOT));
	return p;
}

#define prepend(w, constant)                                                                        \
	({                                                                                          \
		u32 at_ = (w)->at - (sizeof(constant) - 1);                                         \
		__builtin_memcpy((w)->text + bounded(at_, PLACE_LEN - 1), constant, sizeof(constant) - 1); \
		(w)->at = at_;                                                                      \
	})
#define MARKS 32	/* bytes that all marks together take at most */

BPF_PERCPU_ARRAY(writing, struct written, 1);
enum step { ON, DONE, CUT, LOST };

/* Write the name of a directory, or go from the root of a mount to what it is mounted on. */
CHECKED_ONCE int climb(void)
{
	int zero = 0;
	struct written *w = writing.lookup(&zero);

	if (!w)
		return LOST;
	if (w->from.dentry == w->top) {
		u64 mount = w->from.mount - MOUNT_MNT, ours;
		struct place up;

		if (read_kernel(&up, sizeof(up), (void *)(mount + MOUNT_PARENT)))
			return LOST;
		if (up.mount == mount) {	/* of no namespace after umount -l */
			ours = read_pointer(read_pointer(bpf_get_current_task(), TASK_NSPROXY), NSPROXY_MNT_NS);
			if (read_pointer(mount, MOUNT_NS) != ours)
				prepend(w, "(unreachable)/");
			return DONE;
		}
		w->from.mount = up.mount + MOUNT_MNT;
		w->from.dentry = up.dentry;
		w->top = read_pointer(w->from.mount, VFSMOUNT_ROOT);
		return ON;
	}
	struct {
		u64 parent, hash_len, name;
	} d;

	if (read_kernel(&d, sizeof(d), (void *)(w->from.dentry + DENTRY_PARENT)) || d.parent == w->from.dentry)
		return LOST;
	u32 size = ((d.hash_len >> 32) + 1) & 511, at = w->at;

	if (at < size + MARKS)
		return CUT;
	w->at = at - size;
	read_kernel_str(w->text + bounded(at - size, PLACE_LEN - 1), bounded(size, 511), (void *)d.name);
	w->text[bounded(at - 1, PLACE_LEN - 1)] = w->end;	/* in place of the NUL */
	w->end = '/';
	w->from.dentry = d.parent;
	return ON;
}

/* Write `p` with a '/' at both ends, and return the length; 0 when it is not known. */
static __always_inline u32 write_place(struct written *w, struct place p, bool failed)
{
	int step = ON;

	if (!p.dentry)
		return 0;
	w->from = p;
	w->top = read_pointer(p.mount, VFSMOUNT_ROOT);
	w->at = PLACE_LEN - 1;
	w->end = '/';
	/* A deleted directory is in no hash list: it has no d_hash.pprev. No name is found in it, so when the call
	 * succeeded, it was deleted later, or no name was looked for in it. */
	if (failed && p.dentry != w->top && !read_pointer(p.dentry, DENTRY_HASH + 8)) {
		prepend(w, "(deleted)/");
		w->end = ' ';
	}
#pragma unroll 1
	for (u32 i = 0; i < LEVELS && step == ON; i++)
		step = climb();
	if (step == LOST)
		return 0;
	if (step != DONE)
		prepend(w, "(cut)/");
	prepend(w, "/");
	return PLACE_LEN - 1 - w->at;
}

#else

static __always_inline struct place place_of(s32 dfd)
{
	struct place nowhere = {};

	return nowhere;
}

#endif
