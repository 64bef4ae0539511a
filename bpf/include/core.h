/* For the objects that are compiled beforehand (bpf/kernel/objects.py) and loaded by libbpf: the macros and helpers
 * that bcc would provide, and the kernel structs with only the fields that are read. libbpf replaces their offsets by
 * those of the kernel that loads the object. */

#include "types.h"

#if defined(__TARGET_ARCH_x86_64)
#include "arch/x86_64.h"
#define PT_REGS_PARM1(ctx) ((ctx)->di)
#define PT_REGS_PARM2(ctx) ((ctx)->si)
#define PT_REGS_RC(ctx) ((ctx)->ax)
#elif defined(__TARGET_ARCH_aarch64)
#include "arch/aarch64.h"
#define PT_REGS_PARM1(ctx) ((ctx)->regs[0])
#define PT_REGS_PARM2(ctx) ((ctx)->regs[1])
#define PT_REGS_RC(ctx) ((ctx)->regs[0])
#endif

#define SEC(name) __attribute__((section(name), used))

char gpl[] SEC("license") = "GPL";

#define HAS_PROBE_READ_USER	/* on kernels before 5.5, libbpf puts bpf_probe_read() in its place */

/* Helpers, by their numbers in include/uapi/linux/bpf.h. */
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static u32 (*bpf_get_smp_processor_id)(void) = (void *)8;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*bpf_get_current_uid_gid)(void) = (void *)15;
static long (*bpf_get_current_comm)(void *buffer, u32 size) = (void *)16;
static long (*bpf_perf_event_output)(void *ctx, void *map, u64 flags, const void *data, u64 size) = (void *)25;
static u64 (*bpf_get_current_task)(void) = (void *)35;
static long (*bpf_probe_read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*bpf_probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*bpf_probe_read_user_str)(void *to, u32 size, const void *from) = (void *)114;
static long (*bpf_probe_read_kernel_str)(void *to, u32 size, const void *from) = (void *)115;
static long (*bpf_ringbuf_output)(void *ring, const void *data, u64 size, u64 flags) = (void *)130;
static void *(*bpf_ringbuf_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *record, u64 flags) = (void *)132;
static u64 (*bpf_ringbuf_query)(void *ring, u64 what) = (void *)134;

#define BPF_F_CURRENT_CPU 0xffffffffULL
#define BPF_NOEXIST 1
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE };

/* A function that the verifier checks by itself, once, and not again for each round of a loop that calls it (before 5.6
 * it does). It may neither take nor return pointers. */
#define CHECKED_ONCE __attribute__((noinline, section(".text")))

/* A parameter gets its value before the program is loaded, so the verifier removes the branches that it rules out. */
#define PARAMETER(name) const volatile u32 name

/* Maps, with bcc's methods. The compiler inlines the methods and drops the structs that hold them. */
#define ENTRIES(map) 1	/* the loader sets the real number before it creates the map */
#define METHODS(name, V)                                                                            \
	static __always_inline V *name##_lookup(const void *key)                                    \
	{                                                                                           \
		return bpf_map_lookup_elem(&name##_, key);                                          \
	}                                                                                           \
	static __always_inline long name##_update(const void *key, const V *value)                  \
	{                                                                                           \
		return bpf_map_update_elem(&name##_, key, value, 0);                                \
	}                                                                                           \
	static __always_inline long name##_insert(const void *key, const V *value)                  \
	{                                                                                           \
		return bpf_map_update_elem(&name##_, key, value, BPF_NOEXIST);                      \
	}                                                                                           \
	static __always_inline long name##_delete(const void *key)                                  \
	{                                                                                           \
		return bpf_map_delete_elem(&name##_, key);                                          \
	}                                                                                           \
	static const struct {                                                                       \
		V *(*lookup)(const void *key);                                                      \
		long (*update)(const void *key, const V *value);                                    \
		long (*insert)(const void *key, const V *value);                                    \
		long (*delete)(const void *key);                                                    \
	} name = { name##_lookup, name##_update, name##_insert, name##_delete }
#define MAP(kind, flags, name, K, V, entries)                                                       \
	struct {                                                                                    \
		int (*type)[kind];                                                                  \
		int (*map_flags)[flags];                                                            \
		int (*max_entries)[entries];                                                        \
		K *key;                                                                             \
		V *value;                                                                           \
	} name##_ SEC(".maps");                                                                     \
	METHODS(name, V)
/* enum bpf_map_type */
#define BPF_ARRAY(name, V, entries) MAP(2, 0, name, u32, V, entries)
#define BPF_PERCPU_ARRAY(name, V, entries) MAP(6, 0, name, u32, V, entries)
#define SHARED_ARRAY(name, V) MAP(2, 0, name, u32, V, ENTRIES(name))	/* the loader puts in the map that all programs share */
#define SHARED_LRU_HASH(name, V) LRU_HASH(name, u32, V)
#define LRU_HASH(name, K, V) MAP(9, 0, name, K, V, ENTRIES(name))
/* BPF_F_NO_COMMON_LRU: each CPU has its own entries. Otherwise each would hold 128 of all in reserve before 6.16. */
#define LRU_HASH_BY_CPU(name, K, V) MAP(9, 2, name, K, V, ENTRIES(name))
#define BPF_PERF_OUTPUT(name)                                                                       \
	struct {                                                                                    \
		int (*type)[4];                                                                     \
		int (*key_size)[4];                                                                 \
		int (*value_size)[4];                                                               \
	} name##_ SEC(".maps");                                                                     \
	static __always_inline long name##_submit(void *ctx, const void *data, u64 size)            \
	{                                                                                           \
		return bpf_perf_event_output(ctx, &name##_, BPF_F_CURRENT_CPU, data, size);         \
	}                                                                                           \
	static const struct {                                                                       \
		long (*perf_submit)(void *ctx, const void *data, u64 size);                         \
	} name = { name##_submit }
struct ring {
	int (*type)[27];
	int (*max_entries)[65536];	/* a multiple of every page size; each ring buffer that is put in has its own size */
};
#define RING_BUFFERS(name)                                                                          \
	struct {                                                                                    \
		int (*type)[12];                                                                    \
		int (*max_entries)[1];                                                              \
		int (*key_size)[4];                                                                 \
		int (*value_size)[4];                                                               \
		struct ring *values[];                                                              \
	} name##_ SEC(".maps");                                                                     \
	static __always_inline void *name##_lookup(const void *key)                                 \
	{                                                                                           \
		return bpf_map_lookup_elem(&name##_, key);                                          \
	}                                                                                           \
	static const struct {                                                                       \
		void *(*lookup)(const void *key);                                                   \
	} name = { name##_lookup }

/* Contexts. The loader compares those of tracepoints with the running kernel's format before it uses them. */
struct bpf_raw_tracepoint_args {
	u64 args[0];
};
#define SYSCALL(name, ...)                                                                          \
	struct tracepoint__syscalls__sys_enter_##name {                                             \
		u64 : 64, : 64;	/* the fields common to all tracepoints, and the call's number */                      \
		__VA_ARGS__                                                                         \
	};                                                                                          \
	struct tracepoint__syscalls__sys_exit_##name {                                              \
		u64 : 64, : 64;                                                                     \
		s64 ret;                                                                            \
	}
SYSCALL(execve, const char *filename; const char *const *argv; const char *const *envp;);
SYSCALL(execveat, s64 fd; const char *filename; const char *const *argv; const char *const *envp; s64 flags;);
SYSCALL(unlink, const char *pathname;);
SYSCALL(unlinkat, s64 dfd; const char *pathname; s64 flag;);
SYSCALL(rmdir, const char *pathname;);

typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	int counter;
} atomic_t;
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
	s32 pid, tgid;
	u32 __state;
	char comm[16];
	struct task_struct *real_parent, *group_leader;
	u64 start_time;
	int exit_code;
	struct signal_struct *signal;
	const struct cred *cred;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
};
struct task_struct___before_5_14 {
	long state;
};
struct signal_struct {
	atomic_t live;
	int nr_threads, group_exit_code;
	unsigned int flags;
};
struct cred {
	kuid_t uid;
};
struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[1];
};
struct cgroup___before_6_1 {
	u64 ancestor_ids[1];
};
struct kernfs_node {
	u64 id;
};
struct mm_struct {
	unsigned long arg_start, arg_end;
};
struct linux_binprm {
	const char *filename;
	int argc;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct fs_struct {
	struct path root, pwd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct file {
	struct path f_path;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};
struct hlist_bl_node {
	void *next;
};
struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
};
struct pt_regs___x86_64 {
	unsigned long di, si, dx;
};
struct pt_regs___aarch64 {
	unsigned long regs[31], orig_x0;
};
#pragma clang attribute pop

/* The byte offset of a field (0) and whether it exists (2), by LLVM's field info kinds: libbpf fills them in. The asm
 * keeps the compiler from folding the offset into another number, which libbpf could not find. */
#define AT(type, field) ({ u64 at_ = __builtin_preserve_field_info(((struct type *)0)->field, 0); asm volatile("" : "+r"(at_)); at_; })
#define HAS(type, field) __builtin_preserve_field_info(((struct type *)0)->field, 2)

#define TASK_PID AT(task_struct, pid)
#define TASK_TGID AT(task_struct, tgid)
#define TASK_STATE (HAS(task_struct, __state) ? AT(task_struct, __state) : AT(task_struct___before_5_14, state))
#define TASK_COMM AT(task_struct, comm)
#define TASK_REAL_PARENT AT(task_struct, real_parent)
#define TASK_LEADER AT(task_struct, group_leader)
#define TASK_START AT(task_struct, start_time)
#define TASK_EXIT_CODE AT(task_struct, exit_code)
#define TASK_SIGNAL AT(task_struct, signal)
#define TASK_CRED AT(task_struct, cred)
#define TASK_CGROUPS AT(task_struct, cgroups)
#define TASK_MM AT(task_struct, mm)
#define SIGNAL_LIVE AT(signal_struct, live)
#define SIGNAL_THREADS AT(signal_struct, nr_threads)
#define SIGNAL_FLAGS AT(signal_struct, flags)
#define SIGNAL_EXIT_CODE AT(signal_struct, group_exit_code)
#define CRED_UID AT(cred, uid)
#define CSS_SET_DFL_CGRP AT(css_set, dfl_cgrp)
#define CSS_SET_SUBSYS AT(css_set, subsys)
#define CSS_CGROUP AT(cgroup_subsys_state, cgroup)
#define CGROUP_LEVEL AT(cgroup, level)
#define CGROUP_KN AT(cgroup, kn)
#define HAS_ANCESTORS HAS(cgroup, ancestors)
#define CGROUP_ANCESTORS (HAS_ANCESTORS ? AT(cgroup, ancestors) : AT(cgroup___before_6_1, ancestor_ids))
#define KERNFS_NODE_ID AT(kernfs_node, id)
#define MM_ARG_START AT(mm_struct, arg_start)
#define MM_ARG_END AT(mm_struct, arg_end)
#define BPRM_FILENAME AT(linux_binprm, filename)
#define BPRM_ARGC AT(linux_binprm, argc)
#define HAS_PLACES
#define TASK_FS AT(task_struct, fs)
#define TASK_FILES AT(task_struct, files)
#define TASK_NSPROXY AT(task_struct, nsproxy)
#define FS_ROOT AT(fs_struct, root)
#define FS_PWD AT(fs_struct, pwd)
#define FILES_FDT AT(files_struct, fdt)
#define FDTABLE_MAX AT(fdtable, max_fds)
#define FDTABLE_FD AT(fdtable, fd)
#define FILE_PATH AT(file, f_path)
#define NSPROXY_MNT_NS AT(nsproxy, mnt_ns)
#define VFSMOUNT_ROOT AT(vfsmount, mnt_root)
#define MOUNT_MNT AT(mount, mnt)
#define MOUNT_PARENT AT(mount, mnt_parent)
#define MOUNT_NS AT(mount, mnt_ns)
#define DENTRY_HASH AT(dentry, d_hash)
#define DENTRY_PARENT AT(dentry, d_parent)

#if !defined(CALL_ARG1)	/* an object for all machines: those of one machine have them from its header */
#define ON_X86_64 HAS(pt_regs___x86_64, di)
#define CALL_ARG1 (ON_X86_64 ? AT(pt_regs___x86_64, di) : AT(pt_regs___aarch64, orig_x0))
#define CALL_ARG2 (ON_X86_64 ? AT(pt_regs___x86_64, si) : AT(pt_regs___aarch64, regs[1]))
#define CALL_ARG3 (ON_X86_64 ? AT(pt_regs___x86_64, dx) : AT(pt_regs___aarch64, regs[2]))
#endif
