/* arch/arm64/include/asm/ptrace.h, and the numbers of system calls in include/uapi/asm-generic/unistd.h */
#ifndef RINGTOP_PTRACE_H
#define RINGTOP_PTRACE_H

struct pt_regs {
	unsigned long regs[31], sp, pc, pstate, orig_x0;
	int syscallno;
};
#define USER_SYSCALL syscallno
#define CALL_ARG1 offsetof(struct pt_regs, orig_x0)	/* the result has replaced x0 */
#define CALL_ARG2 offsetof(struct pt_regs, regs[1])
#define CALL_ARG3 offsetof(struct pt_regs, regs[2])
#define NR_EXECVE 221
#define NR_EXECVEAT 281

#endif
