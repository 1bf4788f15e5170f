#include "ports/process/internal/syscall_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace tocsin::ports::internal {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the filter of system calls knows x86-64 and arm64"
#endif

constexpr uint32_t kDenied[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_open_tree,
    SYS_move_mount,
    SYS_mount_setattr,
    SYS_setns,
    SYS_unshare,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_vhangup,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_fanotify_init,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
};
constexpr uint32_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr int kFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

constexpr uint32_t Fails(int error) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error); }

class Filter {
 public:
  void Load(size_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
  void Return(uint32_t action) { Add(BPF_RET | BPF_K, action); }
  // The next `skip` instructions are left out unless the loaded word is `value`, has one of the bits, is
  // another.
  void UnlessEqual(uint32_t value, uint8_t skip) { Jump(BPF_JEQ, value, 0, skip); }
  void UnlessAny(uint32_t bits, uint8_t skip) { Jump(BPF_JSET, bits, 0, skip); }
  void UnlessOther(uint32_t value, uint8_t skip) { Jump(BPF_JEQ, value, skip, 0); }
  void LoadCall() { Load(offsetof(seccomp_data, nr)); }
  void LoadFirstArgument() { Load(offsetof(seccomp_data, args)); }  // its lower half, little-endian
  std::vector<sock_filter> Take() { return std::move(code_); }

 private:
  void Add(int code, uint32_t k) { code_.push_back({static_cast<uint16_t>(code), 0, 0, k}); }
  void Jump(int test, uint32_t k, uint8_t if_true, uint8_t if_false) {
    code_.push_back({static_cast<uint16_t>(BPF_JMP | test | BPF_K), if_true, if_false, k});
  }
  std::vector<sock_filter> code_;
};

}  // namespace

std::vector<sock_filter> MakeSyscallFilter(bool network) {
  Filter f;
  f.Load(offsetof(seccomp_data, arch));
  f.UnlessOther(kArchitecture, 1);
  f.Return(SECCOMP_RET_KILL_PROCESS);
  f.LoadCall();
#if defined(__x86_64__)
  f.UnlessAny(0x4000'0000, 1);  // the x32 ABI
  f.Return(Fails(ENOSYS));
#endif
  for (const uint32_t call : kDenied) {
    f.UnlessEqual(call, 1);
    f.Return(Fails(EPERM));
  }
  f.UnlessEqual(SYS_clone3, 1);  // its flags are behind a pointer; libc falls back to clone
  f.Return(Fails(ENOSYS));
  f.UnlessEqual(SYS_clone, 4);
  f.LoadFirstArgument();
  f.UnlessAny(kNewNamespaces, 1);
  f.Return(Fails(EPERM));
  f.Return(SECCOMP_RET_ALLOW);
  f.UnlessEqual(SYS_socket, static_cast<uint8_t>(network ? 2 * std::size(kFamilies) + 2 : 1));
  if (network) {
    f.LoadFirstArgument();
    for (const int family : kFamilies) {
      f.UnlessEqual(static_cast<uint32_t>(family), 1);
      f.Return(SECCOMP_RET_ALLOW);
    }
  }
  f.Return(Fails(EPERM));
  f.Return(SECCOMP_RET_ALLOW);
  return f.Take();
}

}  // namespace tocsin::ports::internal
