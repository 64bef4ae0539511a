/* bcc's dialect: what it lacks of what core.h has. */

#include <linux/ptrace.h>

/* Defined on the command line, as is a map's number of entries: -DNAME=1 -Drequests_entries=1024 */
#define PARAMETER(name)
#define ENTRIES(map) map##_entries
#define LRU_HASH(name, K, V) BPF_TABLE("lru_hash", K, V, name, ENTRIES(name))
#if RINGBUF
#define RING_BUFFERS(name) BPF_RINGBUF_OUTPUT(ring_template, 1); BPF_ARRAY_OF_MAPS(name, "ring_template", 1)
#else	/* a map of that name, for code that is never run */
#define RING_BUFFERS(name) BPF_ARRAY(name, u64, 1)
#endif
