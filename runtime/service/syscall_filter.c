#include "service/syscall_filter.h"

#include <errno.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
/* Numbers from here on are those of x32, which has each call a second time. */
#define OTHER_NUMBERS 0x40000000u
#else
#define MACHINE       AUDIT_ARCH_AARCH64
#define OTHER_NUMBERS UINT32_MAX
#endif

static const uint32_t refused[] = {
    // Programs.
    SYS_execve,
    SYS_execveat,
// Other processes.
#if !defined(__SANITIZE_ADDRESS__) // whose search for leaks stops the threads with it
    SYS_ptrace,
#endif
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_perf_event_open,
    // What is mounted where, and other namespaces.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_open_by_handle_at,
    // The kernel and the machine.
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_bpf,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_quotactl,
    // Keys of the kernel, and two interfaces that many attacks on it begin with. Reads and writes
    // of io_uring pass by a filter.
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
#ifdef __x86_64__
    SYS_iopl,
    SYS_ioperm,
    SYS_kexec_file_load,
#endif
};

#define REFUSED (sizeof refused / sizeof refused[0])

/* The program is one for the kernel's classic BPF machine: it loads a word of struct seccomp_data
 * and compares it. A comparison jumps over jt instructions if it holds, else over jf; the layout is
 *   0  load the machine          3  numbers of x32: refuse
 *   1  another one: refuse       4  one comparison for each refused call
 *   2  load the number           4 + REFUSED  allow;  5 + REFUSED  refuse */
bool syscall_filter_enter(void)
{
    struct sock_filter program[REFUSED + 6];
    const size_t refuse = REFUSED + 5;
    size_t at = 0;

    _Static_assert(REFUSED + 5 < UINT8_MAX, "jumps of BPF are of one byte");
    program[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[at] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 0, (uint8_t)(refuse - at - 1));
    at++;
    program[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    program[at] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JGE | BPF_K, OTHER_NUMBERS, (uint8_t)(refuse - at - 1), 0);
    at++;
    for (size_t i = 0; i < REFUSED; i++, at++)
        program[at] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, refused[i], (uint8_t)(refuse - at - 1), 0);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    const struct sock_fprog filter = {.len = (unsigned short)at, .filter = program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

#else

bool syscall_filter_enter(void)
{
    errno = ENOSYS;
    return false;
}

#endif
