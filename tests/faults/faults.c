/* Loaded before the C library: makes one call into a folder go wrong, so that a test can try every one of them.

   faults_arm(folder, kind, at, room) counts from then on every call that changes a file or folder below `folder`.
   At call `at` (the first is 1; 0: never):
     kind 1  the process is killed before the call
     kind 2  the process is killed when half of what a call writes is written (other calls: before it)
     kind 3  the process gets SIGINT before the call
     kind 4  this and all later calls that take room on the disk fail with ENOSPC
     kind 5  the call fails with EIO
     kind 6  the call fails with EACCES
     kind 8  this and all later calls fail with EROFS, opening a file to write included
   With kind 7, `room` is how many bytes the disk has left: what is written beyond them fails with ENOSPC.
   faults_calls() says how many calls there were; FAULTS_LOG names a file that lists them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KILL = 1, TEAR, INTERRUPT, FULL, BROKEN, FORBIDDEN, ROOM, READ_ONLY };

static char folder[PATH_MAX];
static size_t folder_length;
static int kind, log_file = -1;
static long at, calls, room;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = dlsym(RTLD_NEXT, #name)

void faults_arm(const char *home, int what, long when, long left) {
    snprintf(folder, sizeof folder, "%s/", home);
    folder_length = strlen(folder);
    kind = what;
    at = when;
    room = left;
    calls = 0;
    const char *name = getenv("FAULTS_LOG");
    if (name) log_file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

long faults_calls(void) { return calls; }

static int inside(const char *path) { return folder_length && strncmp(path, folder, folder_length) == 0; }

static int full_path(int directory, const char *path, char *found) {
    if (path[0] == '/') return snprintf(found, PATH_MAX, "%s", path) > 0;
    char link[64];
    if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, found, PATH_MAX - 1);
    if (length < 0) return 0;
    snprintf(found + length, PATH_MAX - length, "/%s", path);
    return 1;
}

static int path_of(int file, char *found) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, found, PATH_MAX - 1);
    if (length < 0) return 0;
    found[length] = 0;
    return 1;
}

/* Counts a call; 0: let it happen, 1: only half of it, then die, else the errno with which it fails. */
static int meet(const char *name, const char *path, long bytes, int takes_room) {
    if (!folder_length || !inside(path)) return 0;
    pthread_mutex_lock(&lock);
    calls++;
    if (log_file >= 0) {
        char line[PATH_MAX + 100];
        int length = snprintf(line, sizeof line, "%ld %s %s %ld\n", calls, name, path + folder_length, bytes);
        if (syscall(SYS_write, log_file, line, length) < 0) log_file = -1;
    }
    int met = 0;
    if (kind == ROOM && takes_room) {
        if (bytes > room) met = ENOSPC;
        else room -= bytes;
    } else if (kind == FULL && at && calls >= at && takes_room) met = ENOSPC;
    else if (kind == READ_ONLY && at && calls >= at) met = EROFS;
    else if (at && calls == at) {
        if (kind == KILL) kill(getpid(), SIGKILL);
        if (kind == TEAR) {
            if (bytes < 2) kill(getpid(), SIGKILL);
            met = 1;
        }
        if (kind == INTERRUPT) kill(getpid(), SIGINT);
        if (kind == BROKEN) met = EIO;
        if (kind == FORBIDDEN) met = EACCES;
    }
    pthread_mutex_unlock(&lock);
    return met;
}

static int meet_file(const char *name, int file, long bytes, int takes_room) {
    char path[PATH_MAX];
    int before = errno, met = 0;
    if (folder_length && path_of(file, path)) met = meet(name, path, bytes, takes_room);
    errno = before;
    return met;
}

static int meet_path(const char *name, int directory, const char *path, int takes_room) {
    char found[PATH_MAX];
    int before = errno, met = 0;
    if (folder_length && full_path(directory, path, found)) met = meet(name, found, takes_room ? 4096 : 0, takes_room);
    errno = before;
    return met;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    pause();
}

static long growth(int file, off_t end) {
    struct stat now;
    if (fstat(file, &now) || !S_ISREG(now.st_mode)) return 0;
    return end > now.st_size ? end - now.st_size : 0;
}

#define FAIL(met) \
    do { errno = met; return -1; } while (0)

ssize_t write(int file, const void *bytes, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    int met = meet_file("write", file, length, 1);
    if (met == 1) { real(file, bytes, length / 2); die(); }
    if (met) FAIL(met);
    return real(file, bytes, length);
}

static ssize_t pwrite_at(int file, const void *bytes, size_t length, off_t place) {
    int met = meet_file("pwrite", file, kind == ROOM ? growth(file, place + length) : (long)length, 1);
    if (met == 1) { syscall(SYS_pwrite64, file, bytes, length / 2, place); die(); }
    if (met) FAIL(met);
    return syscall(SYS_pwrite64, file, bytes, length, place);
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t place) { return pwrite_at(file, bytes, length, place); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off_t place) { return pwrite_at(file, bytes, length, place); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    long length = 0;
    for (int n = 0; n < count; n++) length += parts[n].iov_len;
    int met = meet_file("writev", file, length, 1);
    if (met == 1) { real(file, parts, count / 2); die(); }
    if (met) FAIL(met);
    return real(file, parts, count);
}

ssize_t sendfile64(int out, int in, off_t *place, size_t length) {
    REAL(ssize_t, sendfile64, int, int, off_t *, size_t);
    struct stat source;
    long bytes = fstat(in, &source) ? (long)length : source.st_size;
    int met = meet_file("sendfile", out, bytes, 1);
    if (met == 1) { real(out, in, place, bytes / 2); die(); }
    if (met) FAIL(met);
    return real(out, in, place, length);
}
ssize_t sendfile(int out, int in, off_t *place, size_t length) { return sendfile64(out, in, place, length); }

static int resized(int file, off_t length) {
    int met = meet_file("ftruncate", file, 0, 0);
    if (met == 1) die();
    if (met) FAIL(met);
    return syscall(SYS_ftruncate, file, length);
}
int ftruncate(int file, off_t length) { return resized(file, length); }
int ftruncate64(int file, off_t length) { return resized(file, length); }

static int flushed(const char *name, long call, int file) {
    int met = meet_file(name, file, 0, 0);
    if (met == 1) die();
    if (met) FAIL(met);
    return syscall(call, file);
}
int fsync(int file) { return flushed("fsync", SYS_fsync, file); }
int fdatasync(int file) { return flushed("fdatasync", SYS_fdatasync, file); }

static int opened(int directory, const char *path, int flags, mode_t mode) {
    if (folder_length && (flags & (O_CREAT | O_TRUNC)) == (O_CREAT | O_TRUNC)) {
        int met = meet_path("truncate", directory, path, 0);
        if (met == 1) die();
        if (met) FAIL(met);
    } else if (folder_length && flags & O_CREAT) {
        struct stat there;
        if (syscall(SYS_newfstatat, directory, path, &there, 0)) {
            int met = meet_path("create", directory, path, 1);
            if (met == 1) die();
            if (met) FAIL(met);
        }
    } else if (kind == READ_ONLY && flags & (O_WRONLY | O_RDWR)) {
        int met = meet_path("open", directory, path, 0);
        if (met) FAIL(met);
    }
    return syscall(SYS_openat, directory, path, flags, mode);
}
#define MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int directory, const char *path, int flags, ...) { MODE return opened(directory, path, flags, mode); }
int openat64(int directory, const char *path, int flags, ...) { MODE return opened(directory, path, flags | O_LARGEFILE, mode); }

static int moved(int from, const char *old, int to, const char *new, unsigned flags) {
    int met = meet_path("rename", to, new, 0);
    if (met == 1) die();
    if (met) FAIL(met);
    return syscall(SYS_renameat2, from, old, to, new, flags);
}
int rename(const char *old, const char *new) { return moved(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) { return moved(from, old, to, new, 0); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) { return moved(from, old, to, new, flags); }

static int removed(int directory, const char *path, int flags) {
    int met = meet_path(flags & AT_REMOVEDIR ? "rmdir" : "unlink", directory, path, 0);
    if (met == 1) die();
    if (met) FAIL(met);
    return syscall(SYS_unlinkat, directory, path, flags);
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int directory, const char *path, int flags) { return removed(directory, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }

static int made(int directory, const char *path, mode_t mode) {
    int met = meet_path("mkdir", directory, path, 1);
    if (met == 1) die();
    if (met) FAIL(met);
    return syscall(SYS_mkdirat, directory, path, mode);
}
int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int directory, const char *path, mode_t mode) { return made(directory, path, mode); }

static int permitted(int directory, const char *path, mode_t mode, int flags) {
    REAL(int, fchmodat, int, const char *, mode_t, int);
    int met = meet_path("chmod", directory, path, 0);
    if (met == 1) die();
    if (met) FAIL(met);
    return real(directory, path, mode, flags);
}
int chmod(const char *path, mode_t mode) { return permitted(AT_FDCWD, path, mode, 0); }
int fchmodat(int directory, const char *path, mode_t mode, int flags) { return permitted(directory, path, mode, flags); }
int fchmod(int file, mode_t mode) {
    int met = meet_file("fchmod", file, 0, 0);
    if (met == 1) die();
    if (met) FAIL(met);
    return syscall(SYS_fchmod, file, mode);
}
