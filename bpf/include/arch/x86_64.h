/* arch/x86/include/asm/ptrace.h, and the numbers of system calls in arch/x86/entry/syscalls/syscall_64.tbl */
#ifndef RINGTOP_PTRACE_H
#define RINGTOP_PTRACE_H

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define USER_SYSCALL orig_ax
#define CALL_ARG1 offsetof(struct pt_regs, di)
#define CALL_ARG2 offsetof(struct pt_regs, si)
#define CALL_ARG3 offsetof(struct pt_regs, dx)
#define NR_EXECVE 59
#define NR_EXECVEAT 322

#endif
