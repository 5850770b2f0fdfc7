/* SPDX-License-Identifier: MIT */
/*
 * entry_syscall.S - syscall(2), interposed: programs promote their threads with it
 *
 * A leaf without a stack frame, as in libc, so that numbers that return twice (clone, vfork)
 * behave as they do there. Only after a successful call that changed a thread does it go on
 * into C, and seccomp(2), which has to be prepared for, is made there. Depends on nothing: jemalloc calls it before any constructor has run.
 */
#include <sys/syscall.h>

	.text
	.globl	syscall
	.type	syscall, @function
	.p2align 6
syscall:
	.cfi_startproc
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	cmpq	$SYS_prctl, %rax
	je	.Lchange
	cmpq	$SYS_sched_setparam, %rax
	je	.Lchange
	cmpq	$SYS_sched_setscheduler, %rax
	je	.Lchange
	cmpq	$SYS_sched_setattr, %rax
	je	.Lchange
	cmpq	$SYS_seccomp, %rax
	je	entry_seccomp
	syscall
	cmpq	$-4095, %rax
	jae	.Lerror
	ret

.Lchange:
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	syscall
	cmpq	$-4095, %rax
	jae	.Lerror_change
	movq	%rsi, %rdx
	movq	(%rsp), %rsi
	movq	8(%rsp), %rdi
	movq	%rax, (%rsp)
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	entry_syscall_changed
	movq	8(%rsp), %rax
	addq	$24, %rsp
	.cfi_adjust_cfa_offset -24
	ret

.Lerror_change:
	.cfi_adjust_cfa_offset 16
	addq	$16, %rsp
	.cfi_adjust_cfa_offset -16
.Lerror:
	movq	errno@gottpoff(%rip), %rcx
	negl	%eax
	movl	%eax, %fs:(%rcx)
	movq	$-1, %rax
	ret
	.cfi_endproc
	.size	syscall, .-syscall
	.section .note.GNU-stack, "", @progbits
