/* The arguments of the system call at whose exit a program runs. */

#include "task.h"

PARAMETER(EXITS_ONLY);	/* they are read from the caller's registers, and the entries of system calls are not hooked */

/* Helpers, by their numbers in include/uapi/linux/bpf.h: not every bcc has them. */
static void *(*current_task_btf)(void) = (void *)158;
static void *(*task_registers)(void *task) = (void *)175;

/* The argument at the offset CALL_ARG1 to CALL_ARG3 of the registers that the kernel saved when the call entered; 0
 * where the entries are hooked. */
static __always_inline u64 call_argument(u64 offset)
{
	return EXITS_ONLY ? read_pointer((u64)task_registers(current_task_btf()), offset) : 0;
}
