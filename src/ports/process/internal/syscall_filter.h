// The system calls a program run by Tocsin does without: a classic BPF filter for seccomp, made for the
// architecture Tocsin runs on. Denied calls fail with EPERM, clone3 and calls of another ABI with ENOSYS; a
// call for another architecture kills the process. Pure; thread-safe.
//
// Denied: looking into or steering other processes (ptrace, process_vm_*, pidfd_getfd, kcmp), mounts and
// namespaces, kernel modules, kexec, bpf, perf, keys, userfaultfd, io_uring (it would go around this
// filter), clocks, swap, reboot; without network also every socket but a pair.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace tocsin::ports::internal {

std::vector<sock_filter> MakeSyscallFilter(bool network);

}  // namespace tocsin::ports::internal
