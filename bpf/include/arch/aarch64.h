/* arch/arm64/include/asm/ptrace.h, and the numbers of system calls in include/uapi/asm-generic/unistd.h */
#ifndef RINGTOP_PTRACE_H
#define RINGTOP_PTRACE_H

struct pt_regs {
	unsigned long regs[31], sp, pc, pstate, orig_x0;
	int syscallno;
};
#define USER_SYSCALL syscallno
#define NR_EXECVE 221
#define NR_EXECVEAT 281

#endif
