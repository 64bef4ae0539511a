/* arch/x86/include/asm/ptrace.h, and the numbers of system calls in arch/x86/entry/syscalls/syscall_64.tbl */
#ifndef RINGTOP_PTRACE_H
#define RINGTOP_PTRACE_H

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define USER_SYSCALL orig_ax
#define NR_EXECVE 59
#define NR_EXECVEAT 322

#endif
