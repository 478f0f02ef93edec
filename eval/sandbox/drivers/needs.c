// Says on standard error what a program looks for and does not find: a file or folder, or the network.
// Linked into every C++ and Rust program: what it defines is called in place of the C library's.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void tell(const char* what) {
    static int told;
    if (told++) return;
    char line[300];
    int size = snprintf(line, sizeof line, "\nwavecoder: needs %.200s\n", what);
    if (write(2, line, size) < 0) return;
}

// The runtimes themselves look for what may not be there, and Rust's asks with no path whether a call is known.
static void file(const char* volatile path) {
    static const char* own[] = {"/proc/", "/sys/", "/usr/lib/debug/"};
    int before = errno;
    int absent = before == ENOENT || before == EACCES || before == EPERM || before == EROFS;
    for (int i = 0; path && i < 3; i++) absent = absent && strncmp(path, own[i], strlen(own[i]));
    if (absent && path && *path) tell(path);
    errno = before;
}

static void network(int family) {
    int before = errno;
    if ((family == AF_INET || family == AF_INET6) && before != EINPROGRESS) tell("the network");
    errno = before;
}

#define WEAK __attribute__((weak))  // a program may have such a name itself
#define REAL(name) static __typeof__(name)* real; if (!real) real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

#define OPEN(name) WEAK int name(const char* path, int flags, ...) { \
    REAL(name); \
    va_list more; va_start(more, flags); int mode = va_arg(more, int); va_end(more); \
    int found = real(path, flags, mode); if (found < 0) file(path); return found; }
#define OPEN_AT(name) WEAK int name(int at, const char* path, int flags, ...) { \
    REAL(name); \
    va_list more; va_start(more, flags); int mode = va_arg(more, int); va_end(more); \
    int found = real(at, path, flags, mode); if (found < 0) file(path); return found; }
#define FOPEN(name) WEAK FILE* name(const char* path, const char* mode) { \
    REAL(name); \
    FILE* found = real(path, mode); if (!found) file(path); return found; }
#define STAT(name, type) WEAK int name(const char* path, struct type* into) { \
    REAL(name); \
    int found = real(path, into); if (found < 0) file(path); return found; }

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
STAT(stat, stat)
STAT(stat64, stat64)

WEAK int statx(int at, const char* path, int flags, unsigned mask, struct statx* into) {
    REAL(statx);
    int found = real(at, path, flags, mask, into);
    if (found < 0) file(path);
    return found;
}

WEAK DIR* opendir(const char* path) {
    REAL(opendir);
    DIR* found = real(path);
    if (!found) file(path);
    return found;
}

WEAK int socket(int family, int type, int protocol) {
    REAL(socket);
    int found = real(family, type, protocol);
    if (found < 0) network(family);
    return found;
}

WEAK int connect(int at, const struct sockaddr* to, socklen_t size) {
    REAL(connect);
    int found = real(at, to, size);
    if (found < 0 && to) network(to->sa_family);
    return found;
}

WEAK int getaddrinfo(const char* name, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
    REAL(getaddrinfo);
    int failed = real(name, service, hints, found);
    if (failed) network(AF_INET);
    return failed;
}
