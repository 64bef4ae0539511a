/* For programs that bcc compiles on the spot: the macros of core.h that bcc does not have itself. */

#include <linux/ptrace.h>

/* The loader gives parameters and numbers of entries on the command line: -DNAME=1 -Drequests_entries=1024 */
#define PARAMETER(name)
#define CHECKED_ONCE static __always_inline	/* bcc takes no functions that are called */
#define ENTRIES(map) map##_entries
#define LRU_HASH(name, K, V) BPF_TABLE("lru_hash", K, V, name, ENTRIES(name))
#define LRU_HASH_BY_CPU(name, K, V) BPF_F_TABLE("lru_hash", K, V, name, ENTRIES(name), BPF_F_NO_COMMON_LRU)
/* A map that exists already, by its file descriptor: all programs share it. */
#define SHARED_ARRAY(name, V)                                                                       \
	static __always_inline V *name##_lookup(u32 *key)                                           \
	{                                                                                           \
		return bpf_map_lookup_elem_(bpf_pseudo_fd(1, name##_fd), key);                      \
	}
#define SHARED_LRU_HASH SHARED_ARRAY
#if RINGBUF
#define RING_BUFFERS(name) BPF_RINGBUF_OUTPUT(ring_template, 1); BPF_ARRAY_OF_MAPS(name, "ring_template", 1)
#else	/* This kernel has no ring buffers: the code that uses this map is compiled, but never runs. */
#define RING_BUFFERS(name) BPF_ARRAY(name, u64, 1)
#endif
