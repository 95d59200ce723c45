/* What a disk and a clock can do to a program, for LD_PRELOAD: steered by a small file that a test writes into.
 *
 *   offset 0  u32  every fsync and fdatasync takes so many milliseconds longer
 *   offset 4  i32  ... and then fails with this errno, where it is not 0
 *   offset 8  i64  the wall clock is so many seconds ahead
 *   offset 16 u64  written here: so many bytes of the recording are on the disk
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
    uint32_t sync_ms;
    int32_t sync_errno;
    int64_t wall_s;
    uint64_t recorded_bytes;
};
static volatile struct faults *faults;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    faults = map == MAP_FAILED ? NULL : map;
}

static int is_recording(int fd)
{
    static const char end[] = ".mcap";
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    return n > (ssize_t)strlen(end) && !memcmp(path + n - strlen(end), end, strlen(end));
}

static int suffer(long number, int fd)
{
    struct stat begun;
    if (faults) {
        uint32_t ms = faults->sync_ms;
        struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
        nanosleep(&pause, NULL);
        if (faults->sync_errno) {
            errno = faults->sync_errno;
            return -1;
        }
    }
    int known = faults && is_recording(fd) && !fstat(fd, &begun);
    int done = (int)syscall(number, fd);
    if (known && !done)
        faults->recorded_bytes = (uint64_t)begun.st_size;
    return done;
}

int fsync(int fd) { return suffer(SYS_fsync, fd); }
int fdatasync(int fd) { return suffer(SYS_fdatasync, fd); }

int clock_gettime(clockid_t id, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, id, now);
    if (done == 0 && id == CLOCK_REALTIME && faults)
        now->tv_sec += faults->wall_s;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec fine;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &fine);
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (now)
        *now = fine.tv_sec;
    return fine.tv_sec;
}
