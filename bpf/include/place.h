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
	volatile u32 at;	/* in memory, where the verifier does not tell one value from another */
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

/* Write `p` with a '/' at both ends, and return the length; 0 when it is not known. */
static __always_inline u32 write_place(struct written *w, struct place p, bool failed)
{
	u64 ours = read_pointer(read_pointer(bpf_get_current_task(), TASK_NSPROXY), NSPROXY_MNT_NS);
	u64 top = read_pointer(p.mount, VFSMOUNT_ROOT);
	char end = '/';

	if (!p.dentry)
		return 0;
	w->at = PLACE_LEN - 1;
	/* A deleted directory is in no hash list: it has no d_hash.pprev. No name is found in it, so when the call
	 * succeeded, it was deleted later, or no name was looked for in it. */
	if (failed && p.dentry != top && !read_pointer(p.dentry, DENTRY_HASH + 8)) {
		prepend(w, "(deleted)/");
		end = ' ';
	}
#pragma unroll 1
	for (u32 i = 0; i < LEVELS; i++) {
		if (p.dentry == top) {
			u64 mount = p.mount - MOUNT_MNT;
			struct place up;

			if (read_kernel(&up, sizeof(up), (void *)(mount + MOUNT_PARENT)))
				return 0;
			if (up.mount == mount) {	/* of no namespace after umount -l */
				if (read_pointer(mount, MOUNT_NS) != ours)
					prepend(w, "(unreachable)/");
				goto done;
			}
			p.mount = up.mount + MOUNT_MNT;
			p.dentry = up.dentry;
			top = read_pointer(p.mount, VFSMOUNT_ROOT);
			continue;
		}
		struct {
			u64 parent, hash_len, name;
		} d;

		if (read_kernel(&d, sizeof(d), (void *)(p.dentry + DENTRY_PARENT)) || d.parent == p.dentry)
			return 0;
		u32 size = bounded((d.hash_len >> 32) + 1, 511), at = w->at;

		if (at < size + MARKS)
			break;
		w->at = at - size;
		read_kernel_str(w->text + bounded(at - size, PLACE_LEN - 1), size, (void *)d.name);
		w->text[bounded(at - 1, PLACE_LEN - 1)] = end;	/* in place of the NUL */
		end = '/';
		p.dentry = d.parent;
	}
	prepend(w, "(cut)/");
done:
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
